"""Broken files without end: `python -m tests.fuzz_reader MINUTES [SEED]`.

Good files are cut, joined and sprinkled with what breaks readers. Of each: nothing is raised but a
refusal in words; every line that is not blank is in exactly one record, with its text; in bulk and
by hand, in large blocks and in small ones, the records are the same. It ends at the first file that
shows otherwise, which it keeps.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from unittest import mock

from pipelines.data.reading import delimited, in_bulk, texts
from pipelines.data.reading.batches import LINE, PROBLEM, RAW, FileRefused
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.json_text import JsonText

Row = tuple[object, ...]
_SEEDS: Sequence[bytes] = (
    b"id,at,note,n\na,2026-03-01,x,1\nb,2026-03-02,y,2\n",
    b'id,note\n1,"two\nlines"\n2,"a ""q"" b"\n3,plain\n',
    b"id;price\r\n1;1,50\r\n2;2.000,00\r\n",
    "id\tname\n1\tKöln\n2\t漢字\n".encode(),
    b"a\n1\n\n2\n",
)
_JSON: Sequence[bytes] = (
    b'{"id": 1, "at": "2026-03-01", "n": {"a": 1.50}}\n{"id": 2, "at": null}\n',
    b'{"id": "\\ud83d\\ude00", "n": [1, 2]}\n{"id": 19, "n": "x"}\n',
)
_PIECES: Sequence[bytes] = (
    *(b'"', b'""', b'"\n', b',"', b'",', b",", b";", b"\t", b"\n", b"\r\n", b"\r", b"\n\n", b" "),
    *(b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\\", b'\\"', b"{", b"}", b"[", b"]", b":", b"'"),
    *(b"\\ud83d", b"NaN", b"1e999", b"\xe2\x80\xa8", b"\x1a", b"x" * 70_000, b"[" * 2_000),
)
_DIALECTS = (Dialect(), Dialect(delimiter=";"), Dialect(delimiter="\t", quote=""))


def mutated(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A file made of good ones: repeated, cut, spliced, sprinkled."""
    content = draw.choice(seeds)
    header, _, body = content.partition(b"\n")
    content = header + b"\n" + body * draw.choice([1, 1, 2, 5, 40])
    for _ in range(draw.choice([0, 1, 1, 2, 3, 8, 30])):
        at = draw.randrange(len(content) + 1)
        until = min(len(content), at + draw.choice([0, 0, 0, 1, 5, 50]))
        content = content[:at] + draw.choice(_PIECES) + content[until:]
    return content


@dataclass(frozen=True)
class Case:
    """A file, and how it is read."""

    content: bytes
    read: Callable[[], list[Row]]
    has_header: bool

    def check(self, draw: random.Random) -> None:
        """Whatever must hold of any file."""
        with suppress(FileRefused):
            expected = self.read()
            self._check_lines(expected)
            with mock.patch.object(in_bulk, "scan", return_value=in_bulk.NOTHING):
                assert self.read() == expected, "in bulk and by hand differ"
            small = draw.choice([1, 13, 100])
            with (
                mock.patch.object(texts, "BLOCK_BYTES", small),
                mock.patch.object(delimited, "_BYTES_AFTER", draw.choice([16, 300])),
            ):
                assert self.read() == expected, f"blocks of {small} bytes differ"

    def _check_lines(self, rows: Sequence[Row]) -> None:
        """Each line that is not blank is in one record."""
        content = self.content.removeprefix(b"\xef\xbb\xbf")
        if not self.has_header:  # JSON has no other use for a CR than as a line's end.
            content = content.replace(b"\r\n", b"\n")
        if not self.has_header or b"\n" not in content:
            content = content.replace(b"\r", b"\n")
        lines = content.split(b"\n")
        held = [
            line
            for start, raw, *_ in rows
            for line in range(int(str(start)), int(str(start)) + str(raw).count("\n") + 1)
        ]
        assert len(held) == len(set(held)), "a line is in two records"
        filled = {n for n, line in enumerate(lines, 1) if line.decode("utf-8", "replace").strip()}
        lost = filled - set(held)
        first = min(held, default=len(lines) + 1)
        # What stands before the first record is the header, which may be of several lines.
        unseen = {line for line in lost if not (self.has_header and line < first)}
        assert not unseen, f"lines {sorted(unseen)[:5]} are in no record"


def csv_case(draw: random.Random) -> Case:
    content, dialect = mutated(draw, _SEEDS), draw.choice(_DIALECTS)

    def read() -> list[Row]:
        reader = Delimited(lambda: BytesIO(content), "f.csv", dialect)
        names = list(dict.fromkeys(reader.header()))
        return [
            (row[LINE], row[RAW], row[PROBLEM], *(row[name] for name in names))
            for table in reader.batches(names)
            for row in table.to_pylist()
        ]

    return Case(content, read, has_header=True)


def json_case(draw: random.Random) -> Case:
    content = mutated(draw, _JSON)

    def read() -> list[Row]:
        reader = JsonText(lambda: BytesIO(content), "f.jsonl", is_lines=True)
        return [
            (row[LINE], row[RAW], row[PROBLEM], row["id"], row["n"])
            for table in reader.batches(["id", "n"])
            for row in table.to_pylist()
        ]

    return Case(content, read, has_header=False)


def main(minutes: float, seed: int) -> None:
    """Files until the time is over.

    Raises:
        AssertionError: what does not hold; the file is kept beside this run.
    """
    print(f"seed {seed}", flush=True)
    ends, number = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < ends:
        draw = random.Random(f"{seed} {number}")  # noqa: S311
        case = (json_case if number % 4 == 0 else csv_case)(draw)
        try:
            case.check(draw)
        except BaseException:
            kept = Path(f"fuzz-{seed}-{number}.bin")
            kept.write_bytes(case.content)
            print(f"file {number} of seed {seed} is kept as {kept}", flush=True)
            raise
        number += 1
        if number % 20_000 == 0:
            print(f"{number} files", flush=True)
    print(f"{number} files, nothing found", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns())
