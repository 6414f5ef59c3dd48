"""What names the rows, and how the values of a label are spelled."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.core.errors import UsageError
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.notation import Notation
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.keys import Keys, keys
from pipelines.scaffold.target import Target, refuse_few, target
from pipelines.scaffold.words import plain_pair, said_pair
from tests.made_profiles import profile

ASK = Ask(name="x", location="x.csv", key=("id",), event_time="at", label="y")


def judged(ids: list[str], values: list[str] | None = None) -> Keys:
    table = pa.table({"id": ids, "v": values or ["v"] * len(ids)})
    return keys(
        ASK,
        {name: profile(name, table[name].to_pylist(), is_key=True) for name in ("id", "v")},
        table,
    )


START = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "notation", "said"),
    [
        ("{at:%Y-%m-%dT%H:%M:%SZ}", None, None),
        ("{at:%Y-%m-%d %H:%M}", None, "when: no zone, taken as UTC"),
        ("{at:%d.%m.%Y}", Notation(format="%d.%m.%Y"), "when: dates are written %d.%m.%Y"),
        ("{seconds:.0f}000", Notation(epoch="ms"), "when: ms since 1970"),
    ],
)
def test_a_time_that_is_part_of_the_key_is_read_as_a_time(tmp_path, written, notation, said):
    instants = [START + timedelta(days=day) for day in range(90)]
    texts = [written.format(at=at, seconds=at.timestamp()) for at in instants]
    found = stations(tmp_path, texts)
    assert found.key == ("station", "event_at")
    assert found.shape.notations.get("when") == notation
    assert sum(found.known_on.values()) == found.num_rows == 900
    assert found.first_day == START.date()
    assert any(line.startswith(said) for line in found.said) if said else not found.said


def test_times_in_the_key_that_can_not_be_read_are_said_or_asked_for(tmp_path):
    instants = [f"{START + timedelta(days=day):%d.%m.%Y}" for day in range(180)]
    found = stations(tmp_path, [*instants, "soon"])
    assert (
        "when: 10 of 1810 values are no instant, such as 'soon': these go to quarantine"
        in found.said
    )
    assert found.num_bad == 10
    asked = "when: 20 of 1,820 values are not read as an instant, such as 'soon': mend them at"
    with pytest.raises(UsageError, match=asked):
        stations(tmp_path, [*instants, "soon", "later"])


def stations(folder: Path, times: Sequence[str]) -> Proposal:
    """What is proposed of ten rows at each time, named by station and time."""
    path = folder / "stations.csv"
    rows = [f"{place},{time},{n}.5" for n, time in enumerate(times) for place in range(10)]
    path.write_text("\n".join(["station,when,level", *rows]))
    asked = Ask(name="x", location="x", key=("station", "when"), event_time="when", label="level")
    return infer(asked, FileTable(str(path), (folder,)), START + timedelta(days=200))


IDS = [f"P{number}" for number in range(900)]


def test_exact_copies_are_duplicates():
    found = judged([*IDS, *IDS[:500], *IDS[:3]])
    assert found.said == ("503 rows are the exact copy of another: counted as duplicates",)
    assert found.again == frozenset(range(900, 1403))


def test_few_other_rows_of_a_key_are_corrections_and_many_are_refused():
    found = judged([*IDS, *IDS[:14]], [*["a"] * 900, *["b"] * 14])
    assert found.said[0].startswith("14 rows are of a id that was there before, with other values:")
    with pytest.raises(UsageError, match="key id names several rows 15 times, such as P0; add a c"):
        judged([*IDS, *IDS[:15]], [*["a"] * 900, *["b"] * 15])


def test_empty_keys_are_for_quarantine_up_to_what_the_gate_bears():
    found = judged([*IDS[:875], *[""] * 25])
    assert found.said == ("25 rows are without id: for quarantine",)
    assert found.empty == frozenset(range(875, 900))
    with pytest.raises(UsageError, match="key id is empty in 26 of 900 rows; at most 2% may go to"):
        judged([*IDS[:874], *[""] * 26])
    assert judged([*IDS[:23], ""]).said == ("1 row is without id: for quarantine",)


def test_a_whole_number_is_one_key_however_it_is_written_and_007_is_not_7():
    numbers = [str(number) for number in range(1000, 1900)]
    found = judged([*numbers, "1001.0"])
    assert found.whole == {"id"}
    assert found.said == ("1 row is the exact copy of another: counted as duplicates",)
    digits = "9" * 18
    long = judged([digits + number[:1] + number for number in numbers])
    assert (long.whole, long.said) == ({"id"}, ())
    codes = judged([*(f"{number:03}" for number in range(100)), *map(str, range(100))])
    assert (codes.whole, codes.again) == (frozenset(), frozenset())


def label_of(
    counts: dict[str, int], task: str | None = None, positive: str | None = None
) -> Target:
    texts = [text for text, rows in counts.items() for _ in range(rows)]
    return target(profile("late", texts), task, positive)


@pytest.mark.parametrize(
    ("counts", "true"),
    [
        ({"yes": 300, "no": 600}, 300),
        ({"Y": 300, "N": 600}, 300),
        ({"Ja": 300, "Nein": 600}, 300),
        ({"oui": 300, "non": 600}, 300),
        ({"Sí": 300, "no": 600}, 300),
        ({"TRUE": 300, "FALSE": 600}, 300),
        ({"T": 300, "F": 600}, 300),
        ({"1.0": 300, "0.0": 600}, 300),
        ({"on": 300, "off": 600}, 300),
        ({"Yes": 200, "yes": 60, "Y": 40, "no": 599, " NO ": 1}, 300),
        ({"1": 150, "1.0": 150, "0": 300, "0.0": 300}, 300),
        ({"true": 100, "1": 200, "0": 400, "False": 200}, 300),
        ({"yes": 300, "no": 500, "NA": 100}, 300),
        ({"1": 300, "0": 599, "l": 1}, 300),
        ({"1": 300, "0": 591, "O": 5, "oo": 4}, 300),
    ],
)
def test_a_yes_or_no_in_any_spelling_needs_no_telling(counts, true):
    found = label_of(counts)
    assert (found.task, found.type, found.counts["true"]) == ("binary", "boolean", true)
    told = {found.label.read(text) for text in counts} - {*found.slips, *found.missing}
    assert told == {"true", "false"}
    rows = sum(counts.values()) - sum(found.slips.values())
    assert found.num_labelled + counts.get("NA", 0) == rows


def test_of_two_other_words_somebody_says_which():
    words = {"default": 100, "Default ": 5, "paid": 790, "payd": 5}
    with pytest.raises(UsageError, match="but 'default' and 'paid'; say by --positive which"):
        label_of({"default": 100, "paid": 795})
    found = label_of(words, positive="Default")
    assert (found.label.positive, found.label.negative) == ("default", "paid")
    assert (found.counts, found.slips) == ({"true": 105, "false": 790}, {"payd": 5})
    assert label_of({"yes": 9, "Yes": 1, "no": 90}, positive="no").counts["true"] == 90
    with pytest.raises(UsageError, match="has no 'lost' but 'default' and 'paid'"):
        label_of({"default": 100, "paid": 795}, positive="lost")


@pytest.mark.parametrize(
    "counts",
    [
        {"1": 300, "0": 580, "2": 20},  # more than slips
        {"1": 15, "0": 880, "2": 2},  # a third value next to the second: it may be a count
        {"yes": 300, "maybe": 300, "no": 300},
    ],
)
def test_what_may_be_a_value_is_no_slip(counts):
    assert plain_pair(counts) is None
    assert said_pair(counts, next(iter(counts))) is None


def test_classes_of_one_spelling_are_one_and_a_slip_is_none():
    found = label_of({"Red": 300, "red ": 20, "RED": 3, "Blue": 290, "Green": 286, "gren": 1})
    assert found.counts == {"Blue": 290, "Green": 286, "Red": 323}
    assert found.label.spellings == {"RED": "Red", "red ": "Red"}
    assert found.slips == {"gren": 1}
    assert found.label.read("rEd") == "Red"
    # Who says that these are classes means all of them.
    said = label_of({"Red": 300, "Blue": 290, "Green": 286, "gren": 1}, "multiclass")
    assert (len(said.counts), said.slips) == (4, {})


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"yes": 4, "no": 8},
            r"late is known of 12 rows \(4 of true, 8 of false\): .* 30 rows, and",
        ),
        ({"yes": 4, "no": 800}, "5 of each of two values are needed; take more rows"),
        ({f"{n}.5": 1 for n in range(12)}, "known of 12 rows: to learn from them .* 30 rows are"),
    ],
)
def test_too_few_labels_are_refused_with_how_many_are_needed(counts, said):
    with pytest.raises(UsageError, match=said):
        refuse_few(label_of(counts))
    refuse_few(label_of({"yes": 5, "no": 25}))
