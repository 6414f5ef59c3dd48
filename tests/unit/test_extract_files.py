"""Files of other systems: landed byte for byte, and only from where they may be read."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path, PosixPath
from typing import Any

import pytest

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.data.extract import files
from pipelines.data.extract.files import Files
from pipelines.data.reading.paths import allowed
from pipelines.data.landing import land
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

DAY = Interval.parse("2026-11-18")
COLUMNS = (Column("sensor", "string", "its name"), Column("known_at", "timestamp", "published"))


def feed(file_format: str) -> Feed:
    return Feed(
        name="readings",
        description="What sensors measured",
        format="csv" if file_format == "csv" else "jsonl",
        columns=COLUMNS,
        key=("sensor",),
        kind="snapshot",
    )


CSV, JSONL = feed("csv"), feed("jsonl")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "readings").mkdir(parents=True)
    return made


def landed(root: Path, source: Files, of: Feed = CSV) -> tuple[int, dict[str, bytes]]:
    folder = root.parent / "landing" / DAY.key
    now = datetime(2026, 11, 19, tzinfo=UTC)
    store = Objects.at(str(folder))
    part = land(store, of, DAY, source.files(of, DAY), landed_at=now, commit=nullcontext)
    return part.rows, {path.name: path.read_bytes() for path in folder.glob("*/*")}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"sensor,known_at\na,1\nb,2\n", 2),
        (b"sensor,known_at\na,1\nb,2", 2),
        (b"sensor,known_at\n", 0),
        (b"", 0),
        (b'\xef\xbb\xbfsensor\r\n"open,\x00\xff\n,,,\n', 2),
    ],
    ids=["rows", "no last newline", "b16 header only", "b16 empty", "broken"],
)
def test_bytes_land_as_they_are(root: Path, content: bytes, rows: int) -> None:
    (root / "readings" / "2026-11-18.csv").write_bytes(content)
    assert landed(root, Files(str(root), [root])) == (rows, {"2026-11-18.csv": content})


def test_a_json_file_has_no_header(root: Path) -> None:
    (root / "readings" / "2026-11-18.jsonl").write_bytes(b'{"a": 1}\n{"a"')
    assert landed(root, Files(str(root), [root]), JSONL)[0] == 2


def test_a_star_takes_several_files_in_the_order_of_their_names(root: Path) -> None:
    for name in ("b", "a"):
        (root / f"2026-11-18_{name}.csv").write_text(f"sensor,known_at\n{name},1\n")
    (root / "2026-11-19_a.csv").write_text("sensor,known_at\nx,1\n")
    source = Files(str(root), [root], "{part}_*.{format}")
    assert [file.name for file in source.files(CSV, DAY)] == [
        "2026-11-18_a.csv",
        "2026-11-18_b.csv",
    ]
    assert landed(root, source)[0] == 2


def test_b17_a_large_file_is_copied_in_pieces(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHUNK_BYTES", 7)
    content = b"sensor,known_at\n" + b"a,1\n" * 1000
    (root / "readings" / "2026-11-18.csv").write_bytes(content)
    assert landed(root, Files(str(root), [root])) == (1000, {"2026-11-18.csv": content})


def test_a_file_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(
        MillraceError, match=r"there is no .*/readings/2026-11-18\.csv; run extract"
    ):
        landed(root, Files(str(root), [root]))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("{root}/../../etc/passwd", "without '..'"),
        ("../../etc/passwd", "without '..'"),
        ("data/a.csv", "must be absolute"),
        ("", "must be absolute"),
        ("/etc/passwd", "in none of the allowed folders"),
        ("{root}-other/a.csv", "in none of the allowed folders"),
        ("file:///etc/passwd", "is a URL"),
        ("FILE:/etc/passwd", "is a URL"),
        ("http://169.254.169.254/latest/meta-data", "is a URL"),
        ("s3a://bucket/a.csv", "is a URL"),
        ("{root}/a\0.csv", "must be absolute and without"),
        ("{root}/link/a.csv", "/link is a symlink"),
        ("{root}/link", "/link is a symlink"),
    ],
)
def test_b23_a_path_that_leads_out_is_refused_before_any_open(
    root: Path, path: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "link").symlink_to("/etc")

    def never(*args: object, **kwargs: object) -> int:
        raise AssertionError(f"opened {args}")

    monkeypatch.setattr(os, "open", never)
    monkeypatch.setattr("io.open", never)
    monkeypatch.setattr("builtins.open", never)
    with pytest.raises(BatchRefused) as refused:
        Files(path.format(root=root), [root])
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "pattern",
    ["../{part}.csv", "/etc/passwd", "file:///etc/passwd", "link/passwd", "{feed}/link.csv"],
)
def test_b23_a_pattern_that_leads_out_is_refused(root: Path, pattern: str) -> None:
    (root / "link").symlink_to("/etc")
    (root / "readings" / "link.csv").symlink_to("/etc/passwd")
    with pytest.raises(BatchRefused, match="data path"):
        list(Files(str(root), [root], pattern).files(CSV, DAY))


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [_link, _pipe, Path.mkdir])
def test_b23_only_plain_files_are_read(root: Path, make: Callable[[Path], None]) -> None:
    make(root / "readings" / "2026-11-18.csv")
    with pytest.raises(BatchRefused, match=r"is a symlink|is not a plain file"):
        list(Files(str(root), [root]).files(CSV, DAY))


def test_b23_a_symlink_put_there_after_the_check_is_not_followed(root: Path) -> None:
    path = root / "readings" / "2026-11-18.csv"
    path.write_text("sensor,known_at\n")
    (file,) = Files(str(root), [root]).files(CSV, DAY)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        file.write(root / "copy.csv")
    assert not (root / "copy.csv").exists()


def test_a_file_that_grows_while_it_is_copied_is_refused(root: Path) -> None:
    path = root / "readings" / "2026-11-18.csv"
    path.write_text("sensor,known_at\n")
    (file,) = Files(str(root), [root]).files(CSV, DAY)

    class Target(PosixPath):
        def open(self, *arguments: Any, **options: Any) -> Any:  # type: ignore[override]
            with path.open("a") as grows:
                grows.write("a,1\n")
            return super().open(*arguments, **options)

    with pytest.raises(BatchRefused, match="still being written"):
        file.write(Target(root / "copy.csv"))


def test_no_roots_allow_nothing() -> None:
    with pytest.raises(BatchRefused, match=r"allowed folders \[\]; MILLRACE_DATA_ROOTS"):
        allowed("/data", [])


def test_a_root_may_itself_be_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    path = tmp_path / "root" / "a.csv"
    assert allowed(path, [tmp_path / "root"]) == path
