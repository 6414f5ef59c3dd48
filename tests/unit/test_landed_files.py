"""Manifests: what is refused before any data file is opened."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.data.landing import FILE_BYTES_MAX, landed_files
from pipelines.stores.objects import Objects
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval

CASE = find("flight_delays")
DAY = Interval.parse("2026-11-18")
SHA = "0" * 64


def manifest(root: Path, feed: str = "weather", day: str = DAY.key, **entry: Any) -> Path:
    folder = root / CASE.name / feed / day
    folder.mkdir(parents=True)
    (folder / "data.csv").touch()
    file = {"name": "data.csv", "sha256": SHA, "bytes": 0, "rows": 0, **entry}
    text = {"feed": feed, "part": day, "files": [file], "landed_at": "2026-11-19T00:00:00Z"}
    (folder / "manifest.json").write_text(json.dumps(text))
    return folder


def landed(root: Path, feed: str = "weather", key: str = DAY.key) -> list[str]:
    files = landed_files(Objects.at(str(root)), CASE, CASE.feed(feed), Interval.parse(key))
    return [file.source_file for file in files]


def test_a_fact_has_every_part_and_a_snapshot_the_last_one(tmp_path: Path) -> None:
    for feed in ("weather", "airports"):
        for day in ("2026-11-18", "2026-11-19"):
            manifest(tmp_path, feed, day)
    days = "2026-11-18/2026-11-19"
    assert landed(tmp_path, "weather", days) == [
        "flight_delays/weather/2026-11-18/data.csv",
        "flight_delays/weather/2026-11-19/data.csv",
    ]
    assert landed(tmp_path, "airports", days) == ["flight_delays/airports/2026-11-19/data.csv"]


@pytest.mark.parametrize(
    "name", ["../../../secret", "/etc/passwd", "file:///etc/passwd", "a/b.csv", "", ".", "é.csv"]
)
def test_b23_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    manifest(tmp_path, name=name)
    with pytest.raises(BatchRefused, match="is not the name of a file beside it"):
        landed(tmp_path)


@pytest.mark.parametrize("version", ["..", "../0", "/etc", "0" * 15, "0" * 16 + "/..", "é" * 16])
def test_b23_a_version_that_leads_elsewhere_is_refused(tmp_path: Path, version: str) -> None:
    path = manifest(tmp_path) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))
    with pytest.raises(BatchRefused, match="is not 16 hex digits"):
        landed(tmp_path)


def test_a_file_is_named_for_people_without_its_version(tmp_path: Path) -> None:
    folder = manifest(tmp_path)
    (folder / SHA[:16]).mkdir()
    (folder / "data.csv").rename(folder / SHA[:16] / "data.csv")
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": SHA[:16]}))
    store = Objects.at(str(tmp_path))
    (file,) = landed_files(store, CASE, CASE.feed("weather"), DAY)
    assert file.source_file == "flight_delays/weather/2026-11-18/data.csv"
    assert file.address == f"file://{folder}/{SHA[:16]}/data.csv"


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    (manifest(tmp_path) / "data.csv").unlink()
    with pytest.raises(MillraceError, match=r"data\.csv is in the manifest but not there"):
        landed(tmp_path)


@pytest.mark.parametrize("linked", ["data.csv", ""])
def test_b23_a_symlink_is_refused(tmp_path: Path, linked: str) -> None:
    target = manifest(tmp_path) / linked
    moved = target.rename(tmp_path / "elsewhere")
    target.symlink_to(moved)
    with pytest.raises(BatchRefused, match="symlink"):
        landed(tmp_path)


def test_b17_a_giant_file_is_refused_with_its_size(tmp_path: Path) -> None:
    manifest(tmp_path, bytes=FILE_BYTES_MAX + 1)
    with pytest.raises(BatchRefused, match=f"has {FILE_BYTES_MAX + 1} bytes"):
        landed(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": []}', '{"files": 3, "landed_at": 5}'])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (manifest(tmp_path) / "manifest.json").write_text(text)
    with pytest.raises(BatchRefused, match=r"manifest\.json is broken"):
        landed(tmp_path)


def test_what_never_landed_says_which_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(MillraceError, match="millrace extract flight_delays --interval 2026-11-18"):
        landed(tmp_path)
