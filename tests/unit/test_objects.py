"""A store of objects, on the disk and on what has no folders: whole or absent, and nowhere else."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pipelines.core.errors import BatchRefused
from pipelines.stores import local_files
from pipelines.stores.objects import Objects


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """A folder, and fsspec's stand-in for a bucket, which knows no renaming."""
    return Objects.at(str(tmp_path) if request.param == "disk" else f"memory://{uuid4().hex}")


@pytest.fixture
def disk(tmp_path: Path) -> Objects:
    return Objects.at(str(tmp_path))


def test_what_is_put_is_read(store: Objects) -> None:
    store.put("a/text.html", "old €")
    store.put("a/text.html", "new €")
    assert store.read_text("a/text.html") == "new €"
    assert store.read_bytes("a/text.html") == "new €".encode()
    assert store.sha256("a/text.html") == sha256("new €".encode()).hexdigest()
    assert (store.exists("a/text.html"), store.exists("a"), store.exists("b")) == (
        True,
        False,
        False,
    )


def test_a_file_of_this_machine_becomes_an_object(
    store: Objects, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("scratch") / "rows.csv"
    source.write_bytes(b"a\n" * 2_000_000)
    store.put_file("part/rows.csv", source)
    assert store.sha256("part/rows.csv") == sha256(source.read_bytes()).hexdigest()


def test_what_is_absent_is_said_as_by_a_file(store: Objects) -> None:
    for ask in (store.open, store.read_text, store.sha256):
        with pytest.raises(FileNotFoundError):
            ask("a/none")


def test_the_first_that_puts_where_there_is_none_wins(store: Objects) -> None:
    assert store.put_if_absent("a", "first")
    assert not store.put_if_absent("a", "second")
    assert store.read_text("a") == "first"
    store.keep_only(())
    assert store.put_if_absent("a", "third")


def test_of_many_at_once_exactly_one_puts(disk: Objects) -> None:
    for number in range(20):
        name, barrier = f"object_{number}", range(8)
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda who, name=name: disk.put_if_absent(name, str(who)), barrier))
        assert won.count(True) == 1
        assert disk.read_text(name) == str(won.index(True))


def test_a_part_of_a_store_has_its_own_names(store: Objects) -> None:
    part = store.below("feed").below("day")
    part.put("v1/a", "1")
    part.put("v2/a", "2")
    part.put("manifest.json", "{}")
    store.put("feed/other/b", "3")
    assert part.names() == ["manifest.json", "v1/a", "v2/a"]
    assert part.names("v1") == ["v1/a"]
    assert (part.names("none"), part.name) == ([], "day")
    assert store.names() == [
        "feed/day/manifest.json",
        "feed/day/v1/a",
        "feed/day/v2/a",
        "feed/other/b",
    ]
    part.keep_only({"manifest.json", "v2/a"})
    assert part.names() == ["manifest.json", "v2/a"]
    assert store.exists("feed/other/b")


def test_an_address_opens_the_same_store_elsewhere(store: Objects) -> None:
    store.put("a/b", "c")
    again = Objects.at(store.address_of_root)
    assert again.read_text("a/b") == "c"
    assert store.address("a/b") == f"{store.address_of_root}/a/b"


@pytest.mark.parametrize(
    "name",
    ["", "..", "../a", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", ".hidden", "a/.b", "./a",
     "a\0", "a\nb", "a\\b", "a" * 256],
)  # fmt: skip
def test_b23_a_name_that_leads_elsewhere_is_refused(store: Objects, name: str) -> None:
    for ask in (store.open, store.exists, store.address, store.below):
        with pytest.raises(BatchRefused, match="is not the name of an object"):
            ask(name)
    with pytest.raises(BatchRefused):
        store.put(name, "")
    with pytest.raises(BatchRefused):
        store.put_if_absent(name, "")
    assert store.names() == []


@pytest.mark.parametrize("name", ["link", "folder/secret", "folder"])
def test_b23_no_name_leads_through_a_symlink(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").mkdir()
    secret = tmp_path / "outside" / "secret"
    secret.write_text("canary")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path / "outside")
    store = Objects.at(str(root))
    for ask in (store.open, store.exists, store.address, store.sha256):
        with pytest.raises(BatchRefused, match="is a symlink"):
            ask(name)
    with pytest.raises(BatchRefused, match="is a symlink"):
        store.put(name, "")
    with pytest.raises(BatchRefused, match="is a symlink"):
        store.put_file(name, secret)
    assert secret.read_text() == "canary"
    # A link is listed as itself, and removed as itself.
    assert store.names() == ["folder", "link"]
    store.keep_only(())
    assert (store.names(), secret.read_text()) == ([], "canary")


def test_b23_a_symlink_put_there_after_the_check_is_not_followed(
    disk: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")
    monkeypatch.setattr("pipelines.stores.objects.refuse_links", lambda *_: None)
    with pytest.raises(OSError, match="symbolic links"):
        disk.open("a")


def test_the_root_may_itself_be_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    Objects.at(str(tmp_path / "root")).put("a", "b")
    assert (tmp_path / "real" / "a").read_text() == "b"


def test_only_a_plain_file_is_an_object(disk: Objects, tmp_path: Path) -> None:
    """Nobody waits for the other end of a pipe."""
    os.mkfifo(tmp_path / "pipe")
    assert not disk.exists("pipe")
    with pytest.raises(FileNotFoundError, match="is not a plain file"):
        disk.open("pipe")


def test_an_object_is_opened_for_reading_only(disk: Objects) -> None:
    disk.put("a", "b")
    with pytest.raises(ValueError, match="written whole"):
        disk.files.open(f"{disk.root}/a", "wb")
    assert disk.read_text("a") == "b"


def test_an_object_is_whole_or_the_old_one(
    disk: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.put("drift/page.html", "old €")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local_files.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        disk.put("drift/page.html", "new")
    assert disk.read_text("drift/page.html") == "old €"
    assert [path.name for path in (tmp_path / "drift").iterdir()] == ["page.html"]


_PUT_FOR_EVER = """
import sys
from itertools import cycle
from pipelines.stores.objects import Objects
store = Objects.at(sys.argv[1])
for content in cycle((b"a" * 3_000_000, b"b" * 3_000_000)):
    store.put("page.html", content)
    print("put", flush=True)
"""


def test_r08_a_kill_at_any_moment_leaves_one_whole_object(disk: Objects, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311
    for _ in range(int(os.environ.get("MILLRACE_TEST_SEEDS", "5"))):
        command = [sys.executable, "-c", _PUT_FOR_EVER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "put\n"
            for _ in range(200):
                found = disk.read_bytes("page.html")
                assert found in (b"a" * 3_000_000, b"b" * 3_000_000), seed
                if rng.random() < 0.02:
                    break
            time.sleep(rng.random() / 50)
            process.send_signal(signal.SIGKILL)
        assert disk.read_bytes("page.html")[:1] * 3_000_000 == disk.read_bytes("page.html"), seed
        assert disk.names() == ["page.html"], seed
    disk.keep_only({"page.html"})
    assert os.listdir(tmp_path) == ["page.html"]  # noqa: PTH208
