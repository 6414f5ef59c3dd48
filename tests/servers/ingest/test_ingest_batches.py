"""Whole batches: refused with nothing written, empty, in another order."""

import re
from typing import Any

import pytest

from pipelines.core.errors import BatchRefused, MillraceError, UsageError
from pipelines.stores import lake


@pytest.fixture(scope="module")
def before(desk: Any) -> tuple[Any, ...]:
    """The tables after a good day, whose columns came in another order."""
    day = desk.day
    row = f"{day}T10:00:30Z,3,{day}T10:00:00Z,20.5,s1"
    desk.land([row], [desk.alarm()], header="known_at,count,event_at,celsius,sensor")
    desk.ingest()
    return tables(desk)


def tables(desk: Any) -> tuple[Any, ...]:
    layers = ("bronze", "quarantine")
    return tuple(desk.table(layer, feed) for layer in layers for feed in ("readings", "alarms"))


def test_b08_columns_are_found_by_name_and_optional_ones_may_be_missing(before: Any) -> None:
    [row] = before[0]
    values = (row["sensor"], row["celsius"], row["count"], row["is_indoor"])
    assert values == ("s1", 20.5, 3, None)


@pytest.mark.parametrize("name", ["counts,", ""])
def test_b08_a_renamed_or_missing_column_refuses_the_batch(
    desk: Any, before: Any, name: str
) -> None:
    desk.land([desk.reading("s2")], [desk.alarm("s3")], desk.header.replace("count,", name))
    where = f"{desk.case.name}/readings/{desk.day}/data.csv: column count is missing"
    with pytest.raises(BatchRefused, match=re.escape(where)):
        desk.ingest()
    assert tables(desk) == before


def test_b09_columns_of_another_type_refuse_the_batch(desk: Any, before: Any) -> None:
    rows = [desk.reading(f"s{n}", celsius="warm", is_indoor="1.50") for n in range(19)]
    desk.land([*rows, desk.reading("s20", "cold", "3000000000", is_indoor="0")], [desk.alarm()])
    with pytest.raises(BatchRefused) as refused:
        desk.ingest()
    file = f"{desk.case.name}/readings/{desk.day}/data.csv: column"
    for change in (
        f"{file} celsius is declared double but all 20 values are string",
        f"{file} count is declared int but holds bigint, such as 3000000000",
        f"{file} is_indoor is declared boolean but all 20 values are double",
    ):
        assert change in str(refused.value)
    assert tables(desk) == before


def test_a_file_that_changed_after_it_landed_refuses_the_batch(desk: Any, before: Any) -> None:
    desk.land([desk.reading("s2")])
    desk.file("readings").write_text(f"{desk.header}\n{desk.reading('s3')}")
    with pytest.raises(BatchRefused, match=r"data\.csv: the file is not the one"):
        desk.ingest()
    assert tables(desk) == before


def test_b23_a_manifest_that_leads_elsewhere_refuses_the_batch(desk: Any, before: Any) -> None:
    desk.land([desk.reading("s2")])
    manifest = desk.file("readings").with_name("manifest.json")
    manifest.write_text(manifest.read_text().replace("data.csv", "../../../../secret"))
    with pytest.raises(BatchRefused, match="is not the name of a file beside it"):
        desk.ingest()
    assert tables(desk) == before


def test_a_part_that_never_landed_says_which_to_extract(desk: Any, before: Any) -> None:
    desk.land([desk.reading("s2")])
    command = f"run `millrace extract {desk.case.name} --interval 2026-11-19` first"
    with pytest.raises(MillraceError, match=re.escape(command)):
        desk.ingest(f"{desk.day}/2026-11-19")


@pytest.mark.parametrize("key", ["{{ ds }}", "2026-11-18'; drop table x", "../../etc", "$(id)", ""])
def test_b22_a_hostile_key_is_refused(desk: Any, key: str) -> None:
    with pytest.raises(UsageError):
        desk.ingest(key)


def test_b16_empty_files_succeed_and_replace_the_interval_by_nothing(
    desk: Any, before: Any
) -> None:
    desk.land([desk.reading(), desk.reading("s2", "x")], [desk.alarm()])
    desk.ingest()
    assert [len(table) for table in tables(desk)] == [1, 1, 1, 0]
    desk.land([])
    assert set(desk.ingest().values()) == {0}
    assert tables(desk) == ([], [], [], [])
    desk.land_bytes("readings", b"")
    assert set(desk.ingest().values()) == {0}
    assert tables(desk) == ([], [], [], [])


def test_a_quarantine_without_bad_rows_before_and_after_is_not_written(desk: Any) -> None:
    def version() -> int | None:
        return lake.of(desk.settings).newest(desk.case.build_table("quarantine", "readings"))

    desk.land([desk.reading("s1"), desk.reading("s2", "x")])
    desk.ingest()
    with_bad = version()
    desk.land([desk.reading("s1")])
    desk.ingest()  # it has to lose the bad row
    cleared = version()
    assert with_bad is not None
    assert cleared == with_bad + 1
    assert desk.table("quarantine", "readings") == []
    desk.ingest()
    assert version() == cleared


def test_what_nobody_proved_is_gone_when_the_next_interval_is_ingested(desk: Any) -> None:
    """Nothing of this case was ever published; the last test, because the tables change."""
    desk.land([desk.reading("s1")], [desk.alarm()])
    desk.ingest()
    assert [row["sensor"] for row in desk.table("bronze", "readings")] == ["s1"]
    next_day = type("NextDay", (type(desk),), {"day": "2026-11-19"})
    following = next_day(desk.settings, desk.case, desk.spark)
    following.land([following.reading("s2")], [following.alarm()])
    following.ingest(following.day)
    assert [row["sensor"] for row in desk.table("bronze", "readings")] == ["s2"]
