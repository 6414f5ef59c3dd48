"""One awful day, ingested once: which rows are kept, which are quarantined, and why."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

DAY, NEXT = "2026-11-18", "2026-11-19"
TEXTS = ["abc", " 7", "7.0", "1e3", "0x7", "7\N{NO-BREAK SPACE}", "\N{ARABIC-INDIC DIGIT SEVEN}"]
NO_NUMBERS = ["NaN", "inf", "-Infinity", "1e999"]
HOSTILE = ["x'; DROP TABLE bronze; --", "{{ conf }}", "${env:HOME}", "`a`", "../../etc/passwd"]
IMPOSSIBLE: tuple[tuple[dict[str, str], str], ...] = (
    ({"event_at": "1900-01-01T00:00:00Z"}, "event_at: 1900-01-01 00:00:00 is more than 3 years"),
    ({"event_at": "1970-01-01T00:00:00Z"}, "event_at: 1970-01-01 00:00:00 is more than 3 years"),
    ({"event_at": "9999-12-31T00:00:00Z"}, "event_at must not be after known_at"),
    ({"event_at": "1795082400000"}, "event_at: '1795082400000' is not a timestamp"),
    ({"event_at": f"{DAY}T10:00:00"}, f"event_at: '{DAY}T10:00:00' is not a timestamp"),
    ({"event_at": "2026-02-30T10:00:00Z"}, "event_at: '2026-02-30T10:00:00Z' is not a timestamp"),
    ({"known_at": f"{NEXT}T00:00:00Z"}, f"known_at: {NEXT} 00:00:00 is not in the day from"),
    ({"known_at": "2026-11-17T23:59:59Z"}, "event_at must not be after known_at"),
    ({"known_at": ""}, "known_at"),
)
AT_THE_EDGES = {
    "first": {"event_at": "2026-11-17T23:59:59Z", "known_at": f"{DAY}T00:00:00Z"},
    "last": {"known_at": f"{DAY}T23:59:59.999999Z"},
    "old": {"event_at": "2023-11-18T00:00:00Z"},
}
ANY_YEAR = ["1931-05-08", "2099-12-31"]
Counts = Mapping[str, int]


@pytest.fixture(scope="module")
def counts(desk: Any) -> Counts:
    """The awful day's counts; its tables can be read then."""
    celsius = {"1": "11", "2": "12", "3": "12", "999": "13"}
    readings = [
        desk.reading(),
        desk.reading().rpartition(",")[0],
        desk.reading() + ",7",
        desk.reading("door", "99", "", is_indoor="maybe"),
        *(desk.reading(f"b{n}", count=text) for n, text in enumerate(TEXTS)),
        *(desk.reading(f"c{n}", text) for n, text in enumerate(NO_NUMBERS)),
        desk.reading("zero1", "-0.0", is_indoor=""),
        *(desk.reading("d1", c, known_at=f"{DAY}T{hour}:00:00Z") for c, hour in celsius.items()),
        *(desk.reading(f"e{n}", **at) for n, (at, _) in enumerate(IMPOSSIBLE)),
        *(desk.reading(f"{name}1", **at) for name, at in AT_THE_EDGES.items()),
        'q1,"2,1,true,t,t',
        f'"q2","2",1,"true",{DAY}T10:00:00Z,{DAY}T10:00:30Z',
    ]
    alarms = [
        desk.alarm(),
        '{"sensor": "s1"}',
        '{"sensor": "s1", "lev',
        *(desk.alarm(f"b{n}", level=text) for n, text in enumerate(TEXTS)),
        *(desk.alarm(f"e{n}", **at) for n, (at, _) in enumerate(IMPOSSIBLE)),
        *(desk.alarm(text) for text in HOSTILE),
        *(desk.alarm(f"old{n}", built_on=day) for n, day in enumerate(ANY_YEAR)),
    ]
    desk.land(readings, alarms)
    counted: Counts = desk.ingest()
    return counted


def kept(desk: Any, sensor: str) -> list[dict[str, Any]]:
    return [row for row in desk.table("bronze", "readings") if row["sensor"].startswith(sensor)]


def test_rows_in_are_rows_kept_quarantined_and_duplicate(desk: Any, counts: Counts) -> None:
    assert dict(counts) == {
        "readings_in": 34,
        "readings_kept": 7,
        "readings_quarantined": 25,
        "readings_duplicates": 2,
        "alarms_in": 26,
        "alarms_kept": 8,
        "alarms_quarantined": 18,
        "alarms_duplicates": 0,
    }
    for feed in ("readings", "alarms"):
        assert len(desk.table("bronze", feed)) == counts[f"{feed}_kept"]
        assert len(desk.table("quarantine", feed)) == counts[f"{feed}_quarantined"]


def test_a_good_row_is_typed_and_says_where_it_came_from(desk: Any, counts: Counts) -> None:
    table = desk.spark.table(desk.case.build_table("bronze", "readings")).where("sensor = 's1'")
    assert dict(table.dtypes) == {
        **{column.name: column.type for column in desk.case.feed("readings").columns},
        "ingested_at": "timestamp",
        "source_file": "string",
        "source_line": "int",
        "known_date": "date",
    }
    [text] = table.selectExpr(*(f"cast({name} as string)" for name in table.columns)).collect()
    assert tuple(text) == (
        *("s1", "20.5", "3", "true", f"{DAY} 10:00:00", f"{DAY} 10:00:30", f"{DAY} 23:00:00"),
        *(f"{desk.case.name}/readings/{DAY}/data.csv", "2", DAY),
    )


def test_b01_a_row_with_a_missing_or_extra_field_is_quarantined(desk: Any, counts: Counts) -> None:
    reasons = desk.reasons("readings")
    assert reasons[desk.reading().rpartition(",")[0]] == ["5 fields where the header has 6"]
    assert reasons[desk.reading() + ",7"] == ["7 fields where the header has 6"]
    missing = desk.table("quarantine", "alarms")[0]
    assert missing["raw"] == '{"sensor": "s1"}'
    assert missing["reasons"] == ["field event_at, known_at, level is missing"]
    assert missing["source_file"] == f"{desk.case.name}/alarms/{DAY}/data.jsonl"
    assert (missing["source_line"], str(missing["known_date"])) == (2, DAY)


@pytest.mark.parametrize("text", TEXTS)
def test_b02_text_in_a_number_column_is_quarantined(desk: Any, counts: Counts, text: str) -> None:
    n = TEXTS.index(text)
    reasons = desk.reasons("readings")[desk.reading(f"b{n}", count=text)]
    assert reasons == [f"count: '{text}' is not an int"]
    reasons = desk.reasons("alarms")[desk.alarm(f"b{n}", level=text)]
    assert reasons == [f"level: '{json.dumps(text)}' is not an int"]


def test_b02_every_reason_of_a_row_is_told(desk: Any, counts: Counts) -> None:
    assert desk.reasons("readings")[desk.reading("door", "99", "", is_indoor="maybe")] == [
        "is_indoor: 'maybe' is not a boolean",
        "celsius must be from -50 to 60: weather on Earth",
        "count must have a value: a mean needs its weight",
        "sensor must match [a-z]+[0-9]+: sensors are numbered",
    ]


def test_b03_a_broken_quote_costs_its_own_record_only(desk: Any, counts: Counts) -> None:
    assert desk.reasons("readings")['q1,"2,1,true,t,t'] == ["a quote that is not closed"]
    [row] = kept(desk, "q2")
    assert (row["celsius"], row["is_indoor"]) == (2.0, True)


def test_b05_a_truncated_json_line_is_quarantined(desk: Any, counts: Counts) -> None:
    [reason] = desk.reasons("alarms")['{"sensor": "s1", "lev']
    assert re.match("no JSON: Unterminated string", reason)


def test_b10_the_latest_of_equal_keys_is_kept(desk: Any, counts: Counts) -> None:
    assert [row["celsius"] for row in kept(desk, "d1")] == [3.0]


def test_b11_numbers_that_are_none_are_quarantined(desk: Any, counts: Counts) -> None:
    for n, text in enumerate(NO_NUMBERS):
        reasons = desk.reasons("readings")[desk.reading(f"c{n}", text)]
        assert reasons == [f"celsius: '{text}' is not a double"]
    [zero] = kept(desk, "zero1")
    assert (str(zero["celsius"]), zero["is_indoor"]) == ("0.0", None)


@pytest.mark.parametrize("feed", ["readings", "alarms"])
def test_b13_instants_that_cannot_be_are_quarantined(desk: Any, counts: Counts, feed: str) -> None:
    made, found = desk.reading if feed == "readings" else desk.alarm, desk.reasons(feed)
    for n, (at, reason) in enumerate(IMPOSSIBLE):
        reasons = found[made(f"e{n}", **at)]
        assert any(one.startswith(reason) for one in reasons), (at, reasons)


def test_b13_instants_at_the_edges_are_kept(desk: Any, counts: Counts) -> None:
    assert all(len(kept(desk, name)) == 1 for name in AT_THE_EDGES)


def test_b13_a_date_that_is_no_instant_of_the_event_may_be_of_any_year(
    desk: Any, counts: Counts
) -> None:
    found = [row["built_on"] for row in desk.table("bronze", "alarms") if row["built_on"]]
    assert [str(day) for day in found] == ANY_YEAR


def test_b22_hostile_text_is_data(desk: Any, counts: Counts) -> None:
    sensors = [row["sensor"] for row in desk.table("bronze", "alarms")]
    assert sensors == ["s1", *HOSTILE, *(f"old{n}" for n, _ in enumerate(ANY_YEAR))]


def test_the_same_interval_twice_gives_equal_tables(desk: Any, counts: Counts) -> None:
    names = [(layer, feed) for layer in ("bronze", "quarantine") for feed in ("readings", "alarms")]
    before = [desk.table(*name) for name in names]
    assert desk.ingest() == counts
    assert [desk.table(*name) for name in names] == before
