"""Bytes to records: exact for hand-written files, and nothing lost for any bytes."""

import random
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from pipelines.data.ingest import reader
from pipelines.data.reading.batches import (
    CELL_CHARACTERS_MAX,
    LINE,
    PROBLEM,
    RAW,
    FileRefused,
)
from pipelines.data.reading.rows import FAILED
from pipelines.use_cases.spec.use_case import Column, Feed


def feed(file_format: str, null_token: str = "") -> Feed:
    return Feed(
        name="readings",
        description="What sensors measured",
        format="csv" if file_format == "csv" else "jsonl",
        columns=(
            Column("sensor", "string", "its name"),
            Column("count", "int", "how often"),
            Column("note", "string", "free text", optional=True),
            Column("known_at", "timestamp", "published"),
        ),
        key=("sensor",),
        kind="snapshot",
        null_token=null_token,
    )


CSV, JSONL = feed("csv"), feed("jsonl")
T = "2026-11-20T00:00:00Z"
HEADER = b"sensor,count,note,known_at\n"


class Record(NamedTuple):
    """A record's first line, its text, and its values as texts, or why it has none."""

    line: int
    raw: str
    values: tuple[str | None, ...] | None
    problem: str | None = None


def rows(content: bytes, of: Feed = CSV, unknown: set[str] | None = None) -> list[Record]:
    names, met = of.column_names, set[str]() if unknown is None else unknown
    tables = list(reader.parsed(content, of, f"a.{of.format}", met))
    found = [row for table in tables for row in table.to_pylist()]
    return [
        Record(row[LINE], row[RAW], None, row[PROBLEM])
        if row[PROBLEM]
        else Record(row[LINE], row[RAW], tuple(text(row, name) for name in names))
        for row in found
    ]


def text(row: dict[str, Any], name: str) -> str | None:
    value = row[FAILED][name] or row[name]
    return None if value is None else str(value)


def test_csv_gives_the_line_the_text_and_the_values_by_column() -> None:
    assert rows(HEADER + b"a,1,x,T\r\n\nb,,,T") == [
        Record(2, "a,1,x,T", ("a", "1", "x", "T")),
        Record(4, "b,,,T", ("b", None, None, "T")),
    ]


def test_quotes_hold_commas_quotes_and_newlines() -> None:
    content = HEADER + b'"a,""b""",1,"two\nlines",T\nc,2,,T\n'
    assert rows(content) == [
        Record(2, '"a,""b""",1,"two\nlines",T', ('a,"b"', "1", "two\nlines", "T")),
        Record(4, "c,2,,T", ("c", "2", None, "T")),
    ]


@pytest.mark.parametrize("line", ["a,1,x", "a,1,x,T,more", "a", ",,,,,,"])
def test_b01_a_row_with_a_missing_or_extra_field_is_a_problem(line: str) -> None:
    found = rows(HEADER + f"{line}\nb,2,,T\n".encode())
    width = line.count(",") + 1
    problem = f"{width} fields where the header has 4"
    assert found == [
        Record(2, line, None, problem),
        Record(3, "b,2,,T", ("b", "2", None, "T")),
    ]


def test_b01_a_json_row_without_a_field_is_a_problem_unless_it_is_optional() -> None:
    content = b'{"sensor":"a","count":1,"known_at":"T"}\n{"sensor":"b","known_at":"T"}'
    assert rows(content, JSONL) == [
        Record(1, '{"sensor":"a","count":1,"known_at":"T"}', ("a", "1", None, "T")),
        Record(2, '{"sensor":"b","known_at":"T"}', None, "field count is missing"),
    ]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ('a,1,"x,T', "a quote that is not closed"),
        ('a,1,"x"y,T', "text after a closing quote"),
        ('a,1,x"y,T', "a quote inside a field that does not start with one"),
    ],
)
@pytest.mark.parametrize("after", ["b,2,,T", 'b,2,"fine",T', 'b,2,"two\nlines",T'])
def test_b03_a_broken_quote_costs_its_own_record_only(
    broken: str, problem: str, after: str
) -> None:
    bad, good = rows(HEADER + f"{broken}\n{after}\n".encode())
    assert bad == Record(2, broken, None, problem)
    assert (good.line, good.raw, good.problem) == (3, after, None)


def test_b03_an_open_quote_is_given_up_after_a_hundred_lines() -> None:
    found = rows(HEADER + b'a,1,"x,T\n' + b"b,2,,T\n" * 300 + b'x",T\n')
    assert [record.problem for record in found].count(None) == 300
    assert found[0].problem == "a quote that is not closed"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"sensor": "a", "cou', "no JSON: Unterminated string at character 17"),
        ('{"sensor": "a", "sensor": "b"}', "field sensor is there twice"),
        ("[" * 10_000, "JSON nested too deep"),
        ("[1, 2]", "no JSON object"),
        ('{"sensor": 5, "count": 1, "known_at": "T"}', "sensor: 5 is not a string"),
        ('{"sensor": {"a": 1}, "count": 1, "known_at": "T"}', 'sensor: {"a": 1} is not a string'),
        (
            r'{"sensor": "\ud800", "count": 1, "known_at": "T"}',
            r'sensor: "\ud800" is not Unicode text',
        ),
    ],
)
def test_b05_a_broken_json_line_costs_its_own_record_only(line: str, problem: str) -> None:
    good = '{"sensor":"b","count":2,"known_at":"T"}'
    assert rows(f"{line}\n{good}\n".encode(), JSONL) == [
        Record(1, line, None, problem),
        Record(2, good, ("b", "2", None, "T")),
    ]


def test_a_json_value_stays_the_text_that_stands_there() -> None:
    line = '{"sensor":"a\u2028b","count":%s,"known_at":"T"}'
    texts = ["12345678901234567890", "1.50", "1e3", "NaN", '"12"', "true", "null"]
    found = [rows((line % text).encode(), JSONL)[0].values for text in texts]
    assert [values and values[1] for values in found] == [*texts[:-1], None]
    assert found[0] is not None
    assert found[0][0] == "a\u2028b"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("é,1,,T".encode("latin-1"), "no utf-8: byte 0xe9"),
        (b"b\0,1,,T", "a NUL byte"),
        (
            b"x" * (CELL_CHARACTERS_MAX + 1) + b",1,,T",
            "a cell of 1000001 characters, above 1000000",
        ),
    ],
)
def test_b06_b19_what_can_not_be_read_costs_its_own_record(line: bytes, problem: str) -> None:
    bad, good = rows(HEADER + line + b"\nb,2,,T\n")
    assert (bad.line, bad.problem, good.values) == (2, problem, ("b", "2", None, "T"))


def test_b06_another_encoding_of_the_header_refuses_the_file() -> None:
    with pytest.raises(FileRefused, match="the header is broken: a NUL byte, as in UTF-16"):
        rows(HEADER.decode().encode("utf-16-le"))


def test_b06_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert rows(b"\xef\xbb\xbf" + HEADER + b"a,1,,T\n")[0].values == ("a", "1", None, "T")


def test_b07_fields_nobody_declared_are_ignored_and_told() -> None:
    for of, content in (
        (CSV, b"extra,sensor,count,note,known_at\nz,a,1,,T\n"),
        (JSONL, b'{"sensor":"a","count":1,"known_at":"T","extra":1}'),
    ):
        unknown: set[str] = set()
        assert [record.values for record in rows(content, of, unknown)] == [("a", "1", None, "T")]
        assert unknown == {"extra"}


def test_b08_columns_are_found_by_name_in_any_order() -> None:
    content = b"known_at,count,sensor\nT,1,a\n"
    assert rows(content)[0].values == ("a", "1", None, "T")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"sensor,known_at\n", "column count is missing"),
        (b"sensor,counts,known_at\n", "column count is missing"),
        (b"sensor,count,count,known_at\n", "column count is there twice"),
        (b'sensor,"count,known_at\n', "the header is broken"),
        (b"sensor," * 1001 + b"\n", "the header has 1002 columns"),
    ],
)
def test_b08_a_header_that_lacks_a_column_refuses_the_file(header: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        rows(header + b"a,1,T\n")


@pytest.mark.parametrize("content", [b"", b"\n \n", HEADER, HEADER.strip()])
def test_b16_a_file_without_rows_has_no_records(content: bytes) -> None:
    assert rows(content) == []


def test_the_null_token_is_null() -> None:
    found = rows(HEADER + b"NA,1,,T\n", feed("csv", null_token="NA"))
    assert found[0].values == (None, "1", None, "T")


@pytest.mark.parametrize("of", [CSV, JSONL], ids=["csv", "jsonl"])
def test_any_text_is_read_with_every_line_in_exactly_one_record(of: Feed) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311
    pieces = ["a", ",", '"', '""', "\n", "\r\n", " ", "é", "{", "}", '":', "1", "\u2028", "[", "\\"]
    pieces += [
        '{"sensor":"a","count":1,"known_at":"T"}\n',
        "a,1,x,T\n",
        'b,2,"x\ny",T\n',
        "\\ud800",
    ]
    for _ in range(400):
        body = "".join(rng.choices(pieces, k=rng.randrange(60)))
        text = (HEADER.decode() if of is CSV else "") + body
        lines = text.split("\n")
        found = rows(text.encode(), of)
        covered = [
            number
            for record in found
            for number in range(record.line, record.line + record.raw.count("\n") + 1)
        ]
        first = 2 if of is CSV else 1
        filled = [n for n, line in enumerate(lines, 1) if line.strip() and n >= first]
        assert len(covered) == len(set(covered)), (seed, text)
        assert set(filled) <= set(covered), (seed, text)
        for record in found:
            assert "\n".join(lines[record.line - 1 :]).startswith(record.raw), (seed, text)
            assert (record.values is None) == (record.problem is not None), (seed, text)


def test_any_bytes_are_read_or_refused() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311
    for of in (CSV, JSONL) * 300:
        content = (HEADER if of is CSV else b"") + rng.randbytes(rng.randrange(80))
        with suppress(FileRefused):
            assert all(record.line > 0 for record in rows(content, of)), (seed, content)


@pytest.mark.parametrize("root", ["file:/lake/landing", "file:///a b/landing", "s3a://b/landing"])
@pytest.mark.parametrize("place", ["c/f/2026-11-18/0123456789abcdef/a.csv", "c/f/2026-11-18/a.csv"])
def test_a_file_is_found_by_the_end_of_its_path_whatever_the_root(root: str, place: str) -> None:
    sources: dict[str, Any] = {place: "this", "c/f/2026-11-19/a.csv": "another"}
    assert reader._found(f"{root}/{place}", sources) == "this"
