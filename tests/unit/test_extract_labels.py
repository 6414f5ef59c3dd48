"""A label of any task on its way from the source's words to the feed's column."""

import csv
from pathlib import Path

import pytest

from pipelines.data.extract.readers import FileTable
from pipelines.data.extract.tables import Label, Rows, Shape
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, ColumnType, Feed

DAYS = Interval.parse("2026-03-01/2026-03-03")


def landed(folder: Path, kind: ColumnType, label: Label, text: str, day: str) -> list[list[str]]:
    """Key, label and known_at of the rows that land in a day."""
    (folder / "rows.csv").write_text(text)
    times = (Column("event_at", "timestamp", ""), Column("known_at", "timestamp", ""))
    columns = (Column("id", "string", ""), Column("label", kind, "", optional=True), *times)
    feed = Feed(name="rows", description="", format="csv", columns=columns, key=("id",))
    shape = Shape(
        columns={"ID": "id", label.column: "label"},
        event_at="At",
        label=label,
        label_known_at="Settled",
        nulls=frozenset({"NA"}),
    )
    table = FileTable(str(folder / "rows.csv"), (folder,))
    (file,) = Rows(table, shape, DAYS).files(feed, Interval.parse(day))
    file.write(folder / "landed.csv")
    with (folder / "landed.csv").open(newline="") as lines:
        return [[row["id"], row["label"], row["known_at"]] for row in csv.DictReader(lines)]


@pytest.mark.parametrize(
    ("kind", "said", "lands"),
    [
        ("double", "12.5", "12.5"),
        ("double", "much", "much"),
        ("double", "NA", ""),
        ("bigint", "5.0", "5"),
        ("string", "true", "true"),
        ("string", "NA", "NA"),
        ("string", "a, b", "a, b"),
    ],
)
def test_a_label_without_two_words_goes_on_as_it_is(tmp_path, kind, said, lands):
    """In the type of its column, as any other column's value does."""
    text = f'ID,Label,At,Settled\na,"{said}",2026-03-01,2026-03-03 09:00\n'
    once = landed(tmp_path, kind, Label("Label"), text, "2026-03-01")
    assert once == [["a", "", "2026-03-01T00:00:00Z"]]
    again = landed(tmp_path, kind, Label("Label"), text, "2026-03-03")
    assert again == [["a", lands, "2026-03-03T09:00:00Z"]]


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
