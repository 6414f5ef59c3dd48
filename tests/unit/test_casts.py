"""When a column of a file has another type than declared."""

import pytest

from pipelines.data.ingest.casts import Casting, looks_like, type_change
from pipelines.use_cases.spec.use_case import Column, ColumnType


def casting(
    type_: ColumnType = "int",
    succeeded: int = 0,
    failed: int = 0,
    sample: str | None = None,
    overflowed: str | None = None,
) -> Casting:
    column = Column("delay_minutes", type_, "late")
    return Casting(column, succeeded, failed, overflowed, sample)


def test_b09_nothing_but_values_of_another_type_is_a_change_of_type() -> None:
    assert type_change(casting(failed=20, sample="late")) == (
        "column delay_minutes is declared int but all 20 values are string, such as late"
    )
    assert type_change(casting(failed=20, sample="12.50")) == (
        "column delay_minutes is declared int but all 20 values are double, such as 12.50"
    )


@pytest.mark.parametrize(
    "fine",
    [
        casting(succeeded=1, failed=1000, sample="late"),
        casting(failed=19, sample="late"),
        casting(succeeded=1000),
        casting(),
    ],
)
def test_b09_fewer_wrong_values_are_rows_for_quarantine(fine: Casting) -> None:
    assert type_change(fine) is None


@pytest.mark.parametrize(
    ("type_", "value", "beyond"),
    [
        ("int", "3000000000", "bigint"),
        ("int", "-9223372036854775808", "bigint"),
        ("int", "9223372036854775808", "decimal(38,0)"),
        ("bigint", "9" * 5000, "decimal(38,0)"),
    ],
)
def test_b09_one_whole_number_too_big_is_a_change_of_type(
    type_: ColumnType, value: str, beyond: str
) -> None:
    found = type_change(casting(type_, 1000, 1, value, value))
    assert found == (
        f"column delay_minutes is declared {type_} but holds {beyond}, such as {value[:100]}"
    )


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("7", "bigint"),
        ("-7.5e3", "double"),
        ("true", "boolean"),
        ("2026-11-20", "date"),
        ("2026-11-20T00:00:00Z", "timestamp"),
        ("2026-11-20T00:00:00", "string"),
        ("NaN", "string"),
        (" 7", "string"),
        ("", "string"),
    ],
)
def test_a_text_names_its_narrowest_type(text: str, type_: str) -> None:
    assert looks_like(text) == type_
