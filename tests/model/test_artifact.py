"""A folder with a manifest: whole and as it was registered, or not opened, with a reason (R15)."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from models import artifact
from models.artifact import MANIFEST, digest_of, open_folder
from models.errors import DataRefused, FamilyMissing, ModelError, ModelRefused
from tests.model.constants import COLUMNS, INNER, TASK, Constants, flip, opened, rewritten, sealed

REFUSED = (ModelRefused, FamilyMissing)


def test_what_was_sealed_is_opened(family: Constants, folder: Path) -> None:
    model = opened(folder)
    assert model.manifest.corpus == {"gold.items": 7}
    assert sorted(model.manifest.files) == [
        "members/inner/manifest.json",
        "members/inner/notes/why.txt",
        "members/inner/said.json",
        "notes/why.txt",
        "said.json",
    ]
    assert (model.task, model.columns, model.manifest.family) == (TASK, COLUMNS, "constants")
    assert family.opened == ["whole", "inner"]
    found = model.score(pa.table({"x": [1.0, 2.0]}))
    assert found["prediction"].to_pylist() == [2.5, 2.5]
    model.close()
    assert model.scorer.closed  # type: ignore[attr-defined]


def test_a_manifest_says_what_is_asked_and_answered(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    values = json.loads(content)
    assert values["asked"] == [{"name": "x", "type": "double"}]
    low = {"name": "low", "type": "float", "not_above": "prediction"}
    meaning = "the lower end of the interval that holds 80%"
    assert values["answer"][0] == {**low, "meaning": meaning}
    manifest = artifact.Manifest.from_bytes(content)
    assert manifest.to_bytes() == content
    # Sealed again, or elsewhere, the digest is the same.
    copy = Path(shutil.copytree(folder, folder.parent / "copy"))
    members_of = {"members": manifest.members, "corpus": manifest.corpus}
    assert sealed(copy, **members_of) == digest_of(content)


def test_an_answer_that_is_none_of_the_task_is_refused(folder: Path) -> None:
    (folder / "said.json").write_text("NaN")
    manifest = artifact.Manifest.from_bytes((folder / MANIFEST).read_bytes())
    digest = sealed(folder, members=manifest.members)
    with pytest.raises(DataRefused, match="the answer to row 0 is nan"):
        opened(folder, digest).score(pa.table({"x": [1.0]}))


def to_link(path: Path) -> None:
    moved = path.rename(path.parents[2] / "moved")
    path.symlink_to(moved)


def to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


HARMS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: flip(folder / "said.json"), "no file missing .*, said.json changed"),
    (lambda folder: flip(folder / INNER), f"{INNER} changed"),
    (lambda folder: (folder / "said.json").unlink(), "said.json missing or not in the manifest"),
    (lambda folder: (folder / INNER).unlink(), f"{INNER} missing or not in the manifest"),
    (lambda folder: (folder / "more.json").touch(), "more.json missing or not in the manifest"),
    (lambda folder: (folder / ".hidden").touch(), ".hidden missing or not in the manifest"),
    (lambda folder: (folder / "members" / "x.pkl").touch(), "members/x.pkl missing or not in"),
    (lambda folder: to_link(folder / "said.json"), "said.json, which is no plain file"),
    (lambda folder: to_link(folder / INNER), "said.json, which is no plain file"),
    (lambda folder: (folder / "lost").symlink_to("nowhere"), "lost, which is no plain file"),
    (lambda folder: (folder / "etc").symlink_to("/etc"), "etc, which is no plain file"),
    (lambda folder: to_pipe(folder / "said.json"), "said.json, which is no plain file"),
    (lambda folder: (folder / MANIFEST).unlink(), "it has no manifest.json"),
    (lambda folder: (folder.parent / "base.bin").unlink(), "no base encoder of sha256 .* at hand"),
    (lambda folder: flip(folder.parent / "base.bin"), "no base encoder of sha256 .* at hand"),
    (shutil.rmtree, "it has no manifest.json"),
]


@pytest.mark.parametrize(("harm", "says"), HARMS, ids=[says for _, says in HARMS])
def test_r15_what_was_changed_is_refused_unopened(
    family: Constants, folder: Path, harm: Callable[[Path], object], says: str
) -> None:
    digest = digest_of((folder / MANIFEST).read_bytes())
    harm(folder)
    with pytest.raises(ModelRefused, match=says):
        opened(folder, digest)
    assert family.opened == []


def test_r15_another_manifest_than_the_registered_is_refused(
    family: Constants, folder: Path
) -> None:
    with pytest.raises(ModelRefused, match=f"sha256 .*, registered was {'0' * 64}; it was changed"):
        opened(folder, "0" * 64)
    with pytest.raises(ModelRefused, match="no base encoder of sha256"):
        open_folder(folder, digest_of((folder / MANIFEST).read_bytes()))
    assert family.opened == []


def of_the_future(values: dict[str, Any]) -> None:
    values.update(format=2, layers=values.pop("files"))


CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (of_the_future, "its manifest has format 2, known is 1; it is of another version"),
    (lambda values: values.pop("format"), "a manifest.json that can't be read"),
    (lambda values: values.update(family="forest"), "no family 'forest'; there is tabular_net"),
    (lambda values: values["task"].update(name="ranks"), r"can't be read \(no task 'ranks'"),
    (lambda values: values["task"].update(coverage=2), r"can't be read \(Regression.coverage: 2"),
    (lambda values: values["columns"].update(label="y"), r"fields \['label'\] are missing or unkn"),
    (lambda values: values.pop("bases"), r"can't be read \('bases'\)"),
    (lambda values: values["files"].update({"../x": "0"}), r"\.\./x missing or not in the"),
    (lambda values: values["members"].update({"notes": "0" * 64}), "it has no manifest.json"),
    (lambda values: values["members"].update({"members/inner": "0"}), "registered was 0;"),
    (lambda values: values.update(members={}), "members/inner/.*, which constants does not write"),
]


@pytest.mark.parametrize(("change", "says"), CHANGES, ids=[says for _, says in CHANGES])
def test_a_manifest_of_what_is_not_ours_is_refused_unopened(
    family: Constants, folder: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    digest = rewritten(folder, change)
    with pytest.raises(REFUSED, match=says):
        opened(folder, digest)
    assert family.opened == []


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"\x80\x04K\x01.", b"{", b'{"format": 1}'])
def test_what_is_no_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ModelRefused, match=r"a manifest\.json that can't be read"):
        opened(folder)


def test_every_refusal_is_an_error_of_the_models() -> None:
    assert all(issubclass(each, ModelError) for each in (*REFUSED, DataRefused))
