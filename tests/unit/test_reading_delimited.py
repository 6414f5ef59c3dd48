"""CSV in bulk and by hand: the same records, whatever the dialect, the damage and the blocks."""

import csv
import os
import random
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO

import pytest

from pipelines.data.reading import delimited, in_bulk, splitting, texts
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.dialect import Dialect

SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "60"))
WIDTH = 4
PIECES = [
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\r",
    "a",
    "b c",
    "ö",
    "1.5",
    "",
    " ",
    "\0",
    '"x,y"',
    "x\ny",
]


def read(content: bytes, dialect: Dialect = Dialect()) -> list[dict[str, object]]:  # noqa: B008
    reader = Delimited(lambda: BytesIO(content), "f.csv", dialect)
    tables = list(reader.batches(list(dict.fromkeys(reader.header()))))
    return [row for table in tables for row in table.to_pylist()]


def by_hand(
    monkeypatch: pytest.MonkeyPatch, content: bytes, dialect: Dialect
) -> list[dict[str, object]]:
    """What reading one record after the other gives."""
    with monkeypatch.context() as patch:
        patch.setattr(in_bulk, "scan", lambda *_: in_bulk.NOTHING)
        return read(content, dialect)


def damaged(draw: random.Random) -> bytes:
    """Mostly good lines, and some made of anything."""
    lines = ["a,b,c,d\n"]
    for _ in range(draw.randint(1, 60)):
        if draw.random() < 0.2:
            lines.append("".join(draw.choices(PIECES, k=draw.randint(0, 12))))
            lines.append(draw.choice(["\n", "\n", "\r\n", ""]))
        else:
            cells = [draw.choice(["1", "x", '"q"', '"p,q"', '"two\nlines"', '"a ""b"""', ""])]
            lines.append(",".join(draw.choices(["7", "word", *cells], k=WIDTH)) + "\n")
    content = "".join(lines).encode()
    if draw.random() < 0.3:
        at = draw.randrange(len("a,b,c,d\n"), len(content))
        content = content[:at] + bytes([draw.randrange(128, 256)]) + content[at:]
    return content


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_bulk_and_by_hand_are_equal(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    content, dialect = damaged(draw), Dialect(is_padded=seed % 2 == 1)
    expected = by_hand(monkeypatch, content, dialect)
    assert read(content, dialect) == expected, f"seed {seed}"
    monkeypatch.setattr(texts, "BLOCK_BYTES", draw.choice([1, 7, 64, 300]))
    monkeypatch.setattr(delimited, "_BYTES_AFTER", draw.choice([16, 200]))
    assert read(content, dialect) == expected, f"seed {seed}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_r_no_line_is_lost(seed: int) -> None:
    """Every line that is not blank is in exactly one record, with its text."""
    draw = random.Random(seed)  # noqa: S311
    content = damaged(draw)
    lines = content.split(b"\n")
    found: list[int] = []
    for row in read(content):
        start = int(str(row["__line__"])) - 1
        raw = str(row["__raw__"])
        held = range(start, start + raw.count("\n") + 1)
        shown = "\n".join(splitting.shown(lines[at]) for at in held)
        assert raw.replace("\r", "") == shown.replace("\r", ""), f"seed {seed}"
        found += held
    blank = {at for at, line in enumerate(lines) if not line.decode(errors="replace").strip()}
    assert sorted({*found, 0} | blank) == list(range(len(lines))), f"seed {seed}"
    assert len(found) == len(set(found)), f"seed {seed}"


DIALECTS = {
    "comma": {"delimiter": ","},
    "semicolon, all quoted": {"delimiter": ";", "quoting": csv.QUOTE_ALL},
    "tab, single quotes": {"delimiter": "\t", "quotechar": "'"},
    "bar, CRLF": {"delimiter": "|", "lineterminator": "\r\n"},
    "escaped": {"delimiter": ",", "doublequote": False, "escapechar": "\\"},
    "escaped, none quoted": {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
    "a section sign": {"delimiter": "§"},
}


def is_plain(row: Sequence[str], written: Mapping[str, object]) -> bool:
    """Whether its lines could not be records each: that is taken for a stray quote."""
    text = StringIO()
    csv.writer(text, **written).writerow(row)  # type: ignore[arg-type]
    delimiter = str(written.get("delimiter", ",")).encode()
    return not splitting.are_several(text.getvalue().encode(), len(row), delimiter)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_b06_what_csv_writes_comes_back(name: str, encoding: str) -> None:
    draw = random.Random(name)  # noqa: S311
    written = {"lineterminator": "\n"} | DIALECTS[name]
    is_bare = written.get("quoting") == csv.QUOTE_NONE
    letters = [*"ab,;|\t'ö€漢§\\ ", *([] if is_bare else ['"', "\n", "\r\n"])]
    rows = [
        ["".join(draw.choices(letters, k=draw.randint(0, 6))) for _ in "1234"] for _ in range(80)
    ]
    rows = [["id", *row] for row in rows if is_plain(["id", *row], written)]
    text = StringIO()
    csv.writer(text, **written).writerows([list("abcde"), *rows])  # type: ignore[arg-type]
    dialect = Dialect(
        encoding=encoding,
        delimiter=str(written.get("delimiter", ",")),
        quote="" if is_bare else str(written.get("quotechar", '"')),
        escape=str(written.get("escapechar", "")),
    )
    found = [
        [row[name] for name in "abcde"] for row in read(text.getvalue().encode(encoding), dialect)
    ]
    assert found == rows


def test_an_escape_before_a_plain_letter_is_a_letter() -> None:
    content = b'a,b,c,d\n\\N,C:\\new,"D:\\x \\"y\\"",e\\,f\n'
    (found,) = read(content, Dialect(escape="\\"))
    assert [found[name] for name in "abcd"] == ["\\N", "C:\\new", 'D:\\x "y"', "e,f"]
    bare_text = b'a,b,c,d\n1,5\\"x,O\\\'H,\\"\n'
    (bare,) = read(bare_text, Dialect(quote="", escape="\\"))
    assert [bare[name] for name in "abcd"] == ["1", '5"x', "O'H", '"']
