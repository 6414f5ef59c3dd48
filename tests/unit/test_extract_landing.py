"""A landed part: all or nothing, the same twice, and whole again after any damage."""

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from pipelines.core.errors import BatchRefused, MillraceError, Superseded
from pipelines.core.source import SourceFile
from pipelines.data.landing import LandedFile, LandedPart, Manifest, intact, land
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

FEED = Feed(
    name="readings",
    description="What sensors measured",
    format="csv",
    columns=(Column("sensor", "string", "its name"), Column("known_at", "timestamp", "published")),
    key=("sensor",),
    kind="snapshot",
)
DAY = Interval.parse("2026-11-18")
FIRST, SECOND = (datetime(2026, 11, 19, hour, tzinfo=UTC) for hour in (0, 1))


def source_file(content: bytes, name: str = "readings.csv") -> SourceFile:
    def write(path: Path) -> int:
        path.write_bytes(content)
        return content.count(b"\n")

    return SourceFile(name, write)


def landing(
    folder: Path,
    *files: SourceFile,
    at: datetime = FIRST,
    commit: Callable[[], nullcontext[None]] = nullcontext,
) -> LandedPart:
    store = Objects.at(str(folder))
    return land(store, FEED, DAY, files, landed_at=at, commit=commit)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "case" / "readings" / DAY.key


def manifest(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "manifest.json").read_text())
    return found


def whole(folder: Path) -> Manifest | None:
    return intact(Objects.at(str(folder)))


def file(folder: Path, name: str = "readings.csv") -> Path:
    """Where a file of the part is, by its manifest."""
    return folder / str(manifest(folder)["version"]) / name


def part_files(folder: Path) -> set[str]:
    """All that the part's folder holds, without the manifest."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {"manifest.json"}


def test_a_part_is_its_files_and_a_manifest(folder: Path) -> None:
    part = landing(folder, source_file(b"a\nb\n"), source_file(b"c\n", "more.csv"))
    assert (part.rows, part.is_new) == (3, True)
    assert manifest(folder) == {
        "feed": "readings",
        "part": "2026-11-18",
        "files": [
            {
                "name": name,
                "sha256": sha256(content).hexdigest(),
                "bytes": len(content),
                "rows": rows,
            }
            for name, content, rows in (("readings.csv", b"a\nb\n", 2), ("more.csv", b"c\n", 1))
        ],
        "landed_at": "2026-11-19T00:00:00+00:00",
        "version": "0c160aadfe1843e0",
    }
    assert sorted(path.name for path in folder.parent.iterdir()) == [DAY.key]


def test_the_same_files_again_change_nothing(folder: Path) -> None:
    landing(folder, source_file(b"a\n"))
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    again = landing(folder, source_file(b"a\n"), at=SECOND)
    assert (again.rows, again.is_new) == (1, False)
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before
    assert manifest(folder)["landed_at"] == FIRST.isoformat()


def test_other_files_replace_the_part(folder: Path) -> None:
    landing(folder, source_file(b"a\n"), source_file(b"b\n", "gone.csv"))
    assert landing(folder, source_file(b"c\n"), at=SECOND).is_new
    assert file(folder).read_bytes() == b"c\n"
    assert not file(folder, "gone.csv").exists()
    assert manifest(folder)["landed_at"] == SECOND.isoformat()


def _remove(folder: Path) -> None:
    file(folder).unlink()


def _flip(folder: Path) -> None:
    file(folder).write_bytes(b"b\n")


def _cut_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:-20])


def _spoil_instant(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("2026-11-19T", "yesterday "))


@pytest.mark.parametrize("damage", [_remove, _flip, _cut_manifest, _spoil_instant])
def test_a_damaged_part_lands_again(folder: Path, damage: Callable[[Path], None]) -> None:
    landing(folder, source_file(b"a\n"))
    damage(folder)
    assert whole(folder) is None
    assert landing(folder, source_file(b"a\n"), at=SECOND).is_new
    found = whole(folder)
    assert found is not None
    assert found.files == (LandedFile("readings.csv", sha256(b"a\n").hexdigest(), 2, 1),)
    assert found.landed_at == SECOND


def test_b16_a_part_without_rows_lands_as_an_empty_file(folder: Path) -> None:
    part = landing(folder, source_file(b""))
    assert (part.rows, part.is_new, file(folder).stat().st_size) == (0, True, 0)


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a", "manifest.json", ".hidden", "a b.csv", ""])
def test_b23_a_file_name_that_is_not_plain_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(BatchRefused, match="offers a file named"):
        landing(folder, source_file(b"a\n", name))
    assert list(folder.parent.rglob("*")) == []


def test_a_name_twice_is_refused(folder: Path) -> None:
    with pytest.raises(BatchRefused, match=r"'readings\.csv'"):
        landing(folder, source_file(b"a\n"), source_file(b"b\n"))


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_r06_no_room_leaves_what_was_there_and_says_so(folder: Path) -> None:
    landing(folder, source_file(b"a\n"))
    message = rf"readings of 2026-11-18 did not land .*{os.strerror(errno.EFBIG)}.*make room"
    with file_size_limit(1000), pytest.raises(MillraceError, match=message):
        landing(folder, source_file(b"b\n" * 1000), at=SECOND)
    assert file(folder).read_bytes() == b"a\n"
    assert part_files(folder) == {file(folder).relative_to(folder).as_posix()}
    assert landing(folder, source_file(b"b\n" * 1000), at=SECOND).rows == 1000


def test_r11_a_replaced_attempt_lands_nothing(folder: Path) -> None:
    landing(folder, source_file(b"a\n"))

    def commit() -> nullcontext[None]:
        raise Superseded("attempt 1 was replaced by attempt 2")

    with pytest.raises(Superseded):
        landing(folder, source_file(b"b\n"), at=SECOND, commit=commit)
    assert file(folder).read_bytes() == b"a\n"
    # What it put is named by nothing, and goes when the part changes.
    assert len(part_files(folder)) == 2
    landing(folder, source_file(b"c\n"), at=SECOND)
    contents = {(folder / name).read_bytes() for name in part_files(folder)}
    assert contents == {b"a\n", b"c\n"}


def test_a_reader_of_the_manifest_before_still_finds_its_files(folder: Path) -> None:
    landing(folder, source_file(b"a\n"))
    held = whole(folder)
    assert held is not None
    landing(folder, source_file(b"b\n"), at=SECOND)
    store, (listed,) = Objects.at(str(folder)), held.files
    assert store.sha256(held.place(listed)) == listed.sha256
    landing(folder, source_file(b"c\n"), at=SECOND)
    with pytest.raises(FileNotFoundError):
        store.open(held.place(listed))


def test_a_part_of_an_older_home_stays_as_it_is(folder: Path) -> None:
    """Its files lie beside the manifest, which names no version."""
    folder.mkdir(parents=True)
    (folder / "readings.csv").write_bytes(b"a\n")
    listed = {"name": "readings.csv", "sha256": sha256(b"a\n").hexdigest(), "bytes": 2, "rows": 1}
    old = {"feed": "readings", "part": DAY.key, "files": [listed], "landed_at": FIRST.isoformat()}
    (folder / "manifest.json").write_text(json.dumps(old))
    assert not landing(folder, source_file(b"a\n"), at=SECOND).is_new
    assert manifest(folder) == old
    assert landing(folder, source_file(b"b\n"), at=SECOND).is_new
    assert (folder / "readings.csv").read_bytes() == b"a\n"
    landing(folder, source_file(b"c\n"), at=SECOND)
    assert not (folder / "readings.csv").exists()


def test_b23_a_part_behind_a_symlink_is_not_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")
    store = Objects.at(str(tmp_path)).below(folder.relative_to(tmp_path).as_posix())
    with pytest.raises(BatchRefused, match="is a symlink"):
        land(store, FEED, DAY, [source_file(b"a\n")], landed_at=FIRST, commit=nullcontext)
    assert list((tmp_path / "elsewhere").iterdir()) == []


_LAND_FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_extract_landing import landing, source_file
for content in cycle((b"a" * 300_000, b"b" * 300_000)):
    landing(Path(sys.argv[1]), source_file(content), source_file(content, "more.csv"))
    print("landed", flush=True)
"""


def test_r08_a_kill_at_any_moment_leaves_a_whole_part(folder: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311
    here = str(Path(__file__).parent)
    for _ in range(int(os.environ.get("MILLRACE_TEST_SEEDS", "5"))):
        command = [sys.executable, "-c", _LAND_FOR_EVER, str(folder), here]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "landed\n"
            time.sleep(rng.random() / 5)
            process.send_signal(signal.SIGKILL)
        found = whole(folder)
        assert found is not None, seed
        contents = {(folder / found.place(each)).read_bytes()[:1] for each in found.files}
        assert contents in ({b"a"}, {b"b"}), seed
        assert landing(folder, source_file(b"c")).is_new
        # Of what the kill left, only that which a reader may still hold is there.
        now = whole(folder)
        assert now is not None, seed
        named = {made.place(each) for made in (found, now) for each in made.files}
        assert part_files(folder) == named, seed
