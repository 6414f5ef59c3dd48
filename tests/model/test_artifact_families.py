"""What a family lets an artifact hold: nothing else is sealed, and nothing else is opened."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from models import artifact, families
from models.artifact import MANIFEST, digest_of
from models.errors import FamilyMissing, ModelRefused
from tests.model.constants import INNER, Constants, flip, opened, rewritten, sealed


def test_a_file_that_the_family_does_not_write_is_neither_sealed_nor_opened(
    family: Constants, folder: Path
) -> None:
    manifest = artifact.Manifest.from_bytes((folder / MANIFEST).read_bytes())
    (folder / "model.pkl").touch()
    with pytest.raises(ModelRefused, match=r"model\.pkl, which constants does not write"):
        sealed(folder, members=manifest.members)
    nothing = digest_of(b"")
    digest = rewritten(folder, lambda values: values["files"].update({"model.pkl": nothing}))
    with pytest.raises(ModelRefused, match=r"model\.pkl, which constants does not write"):
        opened(folder, digest)
    assert family.opened == []


def test_a_file_that_is_too_large_is_neither_sealed_nor_opened(
    family: Constants, folder: Path
) -> None:
    manifest = artifact.Manifest.from_bytes((folder / MANIFEST).read_bytes())
    content = b"1" * 21
    (folder / "said.json").write_bytes(content)
    with pytest.raises(ModelRefused, match=r"said\.json of 21 bytes, 20 at most"):
        sealed(folder, members=manifest.members)
    said = {"said.json": digest_of(content)}
    digest = rewritten(folder, lambda values: values["files"].update(said))
    with pytest.raises(ModelRefused, match=r"said\.json of 21 bytes, 20 at most"):
        opened(folder, digest)
    assert family.opened == []


def test_a_link_and_a_changed_member_are_not_sealed(folder: Path, tmp_path: Path) -> None:
    (folder / "notes" / "more.txt").symlink_to("/etc/passwd")
    with pytest.raises(ModelRefused, match=r"more\.txt, which is no plain file"):
        sealed(folder)
    (folder / "notes" / "more.txt").unlink()
    manifest = artifact.Manifest.from_bytes((folder / MANIFEST).read_bytes())
    flip(folder / INNER)
    with pytest.raises(ModelRefused, match=r"said\.json changed"):
        sealed(folder, members=manifest.members)


def test_a_member_is_judged_by_its_own_family(
    family: Constants, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the outer one writes: no pattern of its own reaches into a member's folder."""
    digest = digest_of((folder / MANIFEST).read_bytes())
    monkeypatch.setattr(Constants, "files", {"said.json": 20, "*": 20})
    opened(folder, digest)
    family.opened.clear()
    inner = rewritten(folder / "members" / "inner", lambda values: values.update(family="trees"))
    manifest = folder / "members" / "inner" / MANIFEST
    said = {"members/inner/manifest.json": artifact.sha256_of(manifest)}

    def change(values: dict[str, Any]) -> None:
        values["files"].update(said)
        values["members"]["members/inner"] = inner

    digest = rewritten(folder, change)
    with pytest.raises(ModelRefused, match=r"notes/why\.txt, which trees does not write"):
        opened(folder, digest)
    assert family.opened == []


def test_a_family_that_lacks_a_package_says_which(family: Constants, folder: Path) -> None:
    family.requires = ("numpy", "no_such_package")
    families.find.cache_clear()
    with pytest.raises(FamilyMissing, match="the family constants needs no_such_package, which is"):
        opened(folder)
    assert family.opened == []


def test_a_package_without_a_family_says_what_it_lacks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(families.PACKAGES, "constants", "models.plain")
    families.find.cache_clear()
    with pytest.raises(
        FamilyMissing, match=r"models.plain has no FAMILY of models\.family\.Family"
    ):
        opened(folder)


def test_nothing_pickled_is_allowed_by_any_family() -> None:
    ends = ("pkl", "pickle", "joblib", "pt", "pth", "ckpt", "bin", "npy", "npz", "dill", "py", "so")
    places = ("", "members/", "members/one/", "checkpoints/", "notes/deep/")
    for name in families.PACKAGES:
        for pattern in families.find(name).files:
            for path in (f"{place}model.{end}" for place in places for end in ends):
                assert not fnmatch(path, pattern), (name, pattern, path)
