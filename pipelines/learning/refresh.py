"""Let the champion take in what is new, such as items for its index, without a training.

What comes of it is a version of its own, which knows what the champion knows and the new rows
beside. It is champion at once: nothing was learned that a gate could judge. The gate goes on
comparing with the version that was learned, because this one knows of the evaluation.
"""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import addresses
from pipelines.core.errors import MillraceError, NothingDue
from pipelines.core.outcomes import Outcome, TakenIn
from pipelines.core.stage import Context
from pipelines.core.version import code_version
from pipelines.learning import champion, registry, tables
from pipelines.learning.champion import REFRESHED, Champion
from pipelines.learning.train import flavour
from pipelines.stores import mlflow

if TYPE_CHECKING:
    from models.artifact import Manifest

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[TakenIn]:
    """Refresh the champion with the rows known by the interval's end.

    Raises:
        NothingDue: there is no champion yet.
        CheckFailed: a table is not published up to the interval's end.
        MillraceError: the family refuses what came of it; the champion stays.
    """
    now = champion.current(context.engine, context.case.name, context.model.name)
    if now is None:
        name = f"{context.case.name}.{context.model.name}"
        raise NothingDue(f"{name} has no champion yet; train and promote one")
    if context.interval.end < now.cutoff:
        log.info("version %d was learned later than %s: it stays", now.version, context.interval)
        return Outcome(details=TakenIn(version=now.version, before=now.version))
    with tempfile.TemporaryDirectory(prefix="millrace-") as scratch:
        return _refreshed(context, now, Path(scratch))


def _refreshed(context: Context, now: Champion, scratch: Path) -> Outcome[TakenIn]:
    known = registry.of(context.settings, context.case, context.model)
    before = known.version(now.version)
    artifact_folder = known.fetch(before, scratch)
    whole = tables.written(context, context.interval.end, scratch)
    manifest = _checked(artifact_folder, before.digest)
    # What was learned has no corpus: it knows nothing of the days that it was judged by.
    if dict(manifest.corpus) == dict(whole.versions):
        log.info("version %d knows these tables already", now.version)
        return Outcome(details=TakenIn(version=now.version, before=now.version))
    facts, digest = _changed(context, artifact_folder, manifest, whole)
    version = _registered(context, now, before, artifact_folder, digest, facts)
    _note(context, now, version, facts)
    champion.align_alias(context)
    log.info("version %d is version %d with %s", version.number, now.version, facts)
    return Outcome(details=TakenIn(version=version.number, before=now.version, facts=facts))


def _checked(folder: Path, digest: str) -> "Manifest":
    from models import artifact
    from models.errors import ModelError

    try:
        return artifact.checked(folder, digest)
    except ModelError as error:
        raise MillraceError(str(error)) from error


def _changed(
    context: Context, folder: Path, manifest: "Manifest", whole: tables.Tables
) -> tuple[Mapping[str, Any], str]:
    """What the family says of its work, and the digest under which it is sealed.

    Raises:
        MillraceError: it refuses, or what it left can't be opened.
    """
    from models import artifact, families
    from models.errors import ModelError
    from models.family import Refreshed

    family = families.find(manifest.family)
    assert isinstance(family, Refreshed)  # noqa: S101  cases.model has seen to it
    try:
        facts = family.refresh(folder, manifest, whole.files)
        digest = artifact.seal(
            folder,
            manifest.task,
            manifest.columns,
            manifest.family,
            members=manifest.members,
            bases=manifest.bases,
            corpus=whole.versions,
        )
        artifact.open_folder(folder, digest).close()
    except ModelError as error:
        name = f"{context.case.name}.{context.model.name}"
        raise MillraceError(f"{name} was not refreshed, its champion stays: {error}") from error
    return facts, digest


def _registered(
    context: Context,
    now: Champion,
    before: mlflow.Version,
    artifact_folder: Path,
    digest: str,
    facts: Mapping[str, Any],
) -> mlflow.Version:
    """A version of its own, with the reference of the one that was learned."""
    from models import artifact

    known = registry.of(context.settings, context.case, context.model)
    name = addresses.registered(context.case.name, context.model.name)
    table = context.case.table("gold", context.model.training_set)
    tags = {
        "interval": context.interval.key,
        "fingerprint": before.fingerprint,
        "cutoff": before.cutoff.isoformat(),
        "training_set": f"{table}@{before.training_set}",
        "family": context.model.family,
        "task": context.model.task,
        "digest": digest,
        "refreshed_from": str(now.learned),
    }
    title = f"{context.interval.key} refreshed (attempt {context.attempt})"
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as scratch,
        mlflow.run(context.settings, name, title, {**tags, "code_version": code_version()}) as run,
    ):
        folder = Path(scratch)
        model = artifact.open_folder(artifact_folder, digest)
        flavour.write(folder / mlflow.MODEL, artifact_folder, model)
        (folder / mlflow.REFERENCE).parent.mkdir()
        (folder / mlflow.REFERENCE).write_bytes(known.reference(before))
        known.client.log_dict(run, dict(facts), "refreshed.json")
        known.client.log_artifacts(run, scratch)
        return known.register(run, tags)


def _note(
    context: Context, now: Champion, version: mlflow.Version, facts: Mapping[str, Any]
) -> None:
    """The journal's row: with the cutoff of what was learned, by which the gate goes."""
    row = {
        "case_name": context.case.name,
        "model": context.model.name,
        "interval": context.interval.key,
        "version": version.number,
        "decision": REFRESHED,
        "reason": f"version {now.version} with what was known by {context.interval.end:%Y-%m-%d}",
        "champion_before": now.version,
        "cutoff": now.cutoff,
        "metric": now.metric,
        "value": now.value,
        "evidence": {"learned": now.learned, "facts": dict(facts)},
        "attempt": context.attempt,
    }
    with context.commit() as connection:
        champion.succeed(connection, row, now)
