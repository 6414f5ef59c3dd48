"""A label of any task on its way from the source's words to the feed's column."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.data.extract.tables import Label, Shape, rows_of
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.rows import FAILED
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, ColumnType, Feed

NOT_SAID = Notation(missing=frozenset({"NA"}))


def landed(folder: Path, kind: ColumnType, label: Label, text: str, day: str) -> list[list[Any]]:
    """Key, label or the text that is none, and known_at of the rows that land in a day."""
    (folder / "rows.csv").write_text(text)
    times = (Column("event_at", "timestamp", ""), Column("known_at", "timestamp", ""))
    columns = (Column("id", "string", ""), Column("label", kind, "", optional=True), *times)
    feed = Feed(name="rows", description="", format="parquet", columns=columns, key=("id",))
    shape = Shape(
        columns={"ID": "id", label.column: "label"},
        event_at="At",
        label=label,
        label_known_at="Settled",
        notations={} if kind == "string" else {label.column: NOT_SAID},
    )
    table = FileTable(str(folder / "rows.csv"), (folder,))
    rows = rows_of(table, shape, feed, Interval.parse(day)).to_pylist()
    said = [row[FAILED]["label"] or row["label"] for row in rows]
    return [[r["id"], label, str(r["known_at"])] for r, label in zip(rows, said, strict=True)]


@pytest.mark.parametrize(
    ("kind", "said", "lands"),
    [
        ("double", "12.5", 12.5),
        ("double", "much", "much"),
        ("bigint", "5.0", 5),
        ("string", "true", "true"),
        ("string", "NA", "NA"),
        ("string", "a, b", "a, b"),
    ],
)
def test_a_label_without_two_words_goes_on_as_it_is(tmp_path, kind, said, lands):
    """In the type of its column, as any other column's value does."""
    text = f'ID,Label,At,Settled\na,"{said}",2026-03-01,2026-03-03 09:00\n'
    once = landed(tmp_path, kind, Label("Label"), text, "2026-03-01")
    assert once == [["a", None, "2026-03-01 00:00:00+00:00"]]
    again = landed(tmp_path, kind, Label("Label"), text, "2026-03-03")
    assert again == [["a", lands, "2026-03-03 09:00:00+00:00"]]


def test_a_label_that_is_missing_is_not_published_by_its_time(tmp_path):
    text = "ID,Label,At,Settled\na,NA,2026-03-01,2026-03-03\n"
    assert landed(tmp_path, "double", Label("Label"), text, "2026-03-03") == []


def test_a_label_whose_time_can_not_be_read_is_spoilt_for_quarantine(tmp_path):
    text = "ID,Label,At,Settled\na,gold,2026-03-01,soon\n"
    (row,) = landed(tmp_path, "string", Label("Label"), text, "2026-03-01")
    assert row[1] == "gold, known at soon"


def test_a_label_has_both_words_or_neither():
    with pytest.raises(ValueError, match="positive is 'yes', negative None; say both"):
        Label("Bad", positive="yes")
    bad = Label("Bad", positive=("yes", "Ja"), negative="no")
    assert [bad.read(text) for text in ("YES ", "ja", "No", "l", "", None)] == [
        "true",
        "true",
        "false",
        "l",
        "",
        None,
    ]
    assert Label("Bad").read("Yes") == "Yes"
    with pytest.raises(ValueError, match=r"\['no'\] can't be true and false"):
        Label("Bad", positive=("yes", "no"), negative="no")


def test_another_spelling_is_the_same_word_unless_two_words_differ_by_it_alone():
    grade = Label("Grade", positive="A", negative="a")
    assert [grade.read(text) for text in ("A", "a", " A")] == ["true", "false", " A"]
    classes = Label("Colour", spellings={"red ": "Red", "RED": "Red"})
    assert [classes.read(text) for text in ("red ", "red", "Blue")] == ["Red", "Red", "Blue"]
    assert Label("Paid", positive="1", negative="0").read("1.0") == "true"


def test_the_words_of_a_column_and_numbers_are_mapped_as_one_is():
    label = Label("Late", positive=("1", "yes"), negative="0")
    for column in (["1", "0.0", None, "l"], [1.0, 0.0, None], [1, 0, None]):
        mapped = label.mapped(pa.chunked_array([column])).to_pylist()
        assert mapped == ["true", "false", None, "l"][: len(column)]
    plain = pa.chunked_array([[2.5]])
    assert Label("Late").mapped(plain) is plain
