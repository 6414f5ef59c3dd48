"""A proposal for the eyes: each column in a line of a table, and in words what that cuts off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.data.reading.files import FileTable
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.shown import WIDTH, summary

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
START = datetime(2026, 9, 1, tzinfo=UTC)
HEADER = ["Sale ID", "Sold At", "Kilometres", "Kind", "Rest", "Fixed", "", "Won"]
LONG = "a name that is far longer than its column of the table"


def proposed(folder: Path, more: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Proposal:
    """400 sales: a counter, a category with gaps, a column without values, one always the same."""
    lines = [",".join([*HEADER, *more])]
    for number in range(400):
        at = START + timedelta(hours=2 * number)
        kind = ("", "new", "used", "new")[number % 4]
        row = [f"S{number}", f"{at:%Y-%m-%d %H:%M:%S}", 3 * number, kind, "", 7, "", number % 2]
        lines.append(",".join(map(str, [*row, *(number % 9 for _ in more)])))
    path = folder / "sales.csv"
    path.write_text("\n".join(lines) + "\n")
    ask = Ask(
        name="sales",
        location=str(path),
        key=("Sale ID",),
        event_time="Sold At",
        label="Won",
        without=("Rest",),
        only=only,
    )
    return infer(ask, FileTable(str(path), (folder,)), NOW)


def test_each_column_has_its_line(tmp_path):
    head, rule, *rows = summary(proposed(tmp_path)).split("\n\n")[1].splitlines()
    assert head.split() == ["column", "its", "name", "type", "role", "missing", "limits", "example"]
    assert set(rule.strip()) == {"─"}
    assert [row.split() for row in rows] == [
        ["Sale", "ID", "sale_id", "string", "key", "S0"],
        ["Sold", "At", "event_at", "timestamp", "event", "time", "2026-09-…"],
        ["Kilometres", "kilometres", "bigint", "input", "0", "or", "more", "0"],
        ["Kind", "kind", "string", "category", "25.0%", "new"],
        ["Fixed", "fixed", "bigint", "input", "always", "the", "s…", "7"],
        ["Won", "won", "boolean", "label", "0"],
        ["Rest", "left", "out", "you", "say", "so"],
        ["(no", "name)", "left", "out", "no", "name,", "and…"],
    ]


def test_what_the_table_cuts_off_is_said_in_words(tmp_path):
    said = summary(proposed(tmp_path)).split("\n\n")[2].splitlines()
    said = [line for line in said if "no zone" not in line]
    assert said == [
        "  - Rest left out: you say so",
        "  - (no name) left out: no name, and no value",
        "  - Fixed without limits: always the same value",
    ]


def test_a_terminal_of_a_hundred_columns_has_room_for_it(tmp_path):
    more = tuple(f"{LONG} {number}" for number in range(300))
    lines = summary(proposed(tmp_path, more)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert next(line for line in lines if "its name" in line).split()[-3:] == [
        "missing",
        "limits",
        "example",
    ]
    assert "and 108 columns more" in lines


def test_of_many_columns_that_are_left_out_few_are_shown_and_all_counted(tmp_path):
    more = tuple(f"c{number}" for number in range(300))
    said = summary(proposed(tmp_path, more, only=("Kind",)))
    assert said.count("left out  ") == 20
    assert (
        "  - Kilometres, Fixed, (no name), c0, c1 and 298 more left out: --only has others" in said
    )
