"""A case's lineage from what this machine has: worked out once, and kept until its code changes."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from pipelines.core import cases, journal
from pipelines.core.registry import TRANSFORM
from pipelines.core.settings import ROOT, Settings
from pipelines.insight.lineage.case import CaseLineage
from pipelines.stores import compiled, objects
from pipelines.stores.compiled import CompiledModel
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from pipelines.insight.lineage.learning import Views


def read(settings: Settings, engine: Engine, case: UseCase) -> CaseLineage | None:
    """What a stage has worked out for the code as it is now; None: none has run since."""
    store, name = objects.lineage(settings), _name(case, _models(settings, engine, case)[0])
    return CaseLineage.from_json(json.loads(store.read_text(name))) if store.exists(name) else None


def case_lineage(settings: Settings, engine: Engine, case: UseCase) -> CaseLineage:
    """The columns of a case by the SQL that its newest transform ran.

    Before the first transform only landing files and bronze are known.
    """
    kept = read(settings, engine, case)
    if kept is not None:
        return kept
    project, models = _models(settings, engine, case)
    found = build(case, models or ())
    keep(settings, case, project, found)
    return found


def keep(settings: Settings, case: UseCase, project: str | None, found: CaseLineage) -> None:
    """For those who read: of the code as it is now, and of a state of dbt's project."""
    objects.lineage(settings).put(_name(case, project), json.dumps(found.to_json()))


def build(case: UseCase, models: Sequence[CompiledModel]) -> CaseLineage:
    """The columns of a case by its compiled SQL, its feature views and its models."""
    from pipelines.insight.lineage import lake, learning

    nodes = [*lake.landed(case), *lake.ingested(case)]
    if models:
        nodes += lake.transformed(case, models)
        nodes += learning.offered(case, _views(case), {node.name: node for node in nodes})
    if models and case.models:
        tables = {node.name: node for node in nodes}
        known = learning.known_at_decisions(case, tables, cases.models(case.name).derive)
        for model in case.models:
            spec = cases.model(case.name, model)
            inputs, answer = spec.columns.inputs, spec.task.answer
            nodes += learning.learned(case, model, tables, known, inputs, answer)
    return CaseLineage(case.name, nodes)


def _views(case: UseCase) -> "Views":
    """The features of each entity state's view."""
    named = {each.name: each for each in cases.features(case)}
    return {
        state.name: [field.name for field in named[f"{case.name}_{state.name}"].features]
        for state in case.entity_states
    }


def _models(
    settings: Settings, engine: Engine, case: UseCase
) -> tuple[str | None, list[CompiledModel] | None]:
    """The digest that the newest transform kept its SQL by, and that SQL, if it is here."""
    done = journal.newest_done(engine, case.name, TRANSFORM)
    project = done.outcome.details.compiled if done else None
    models = compiled.read(objects.lineage(settings), case.name, project) if project else None
    return (project if models else None), models


def _name(case: UseCase, project: str | None) -> str:
    return f"columns/{case.name}-{_digest(case, project)}.json"


def _digest(case: UseCase, project: str | None) -> str:
    """Of all that a case's lineage depends on."""
    hashed = sha256(f"{project} {case!r}".encode())
    files = [ROOT / folder / f"{case.name}.py" for folder in ("features", "models")]
    for file in (*files, *sorted(Path(__file__).parent.glob("*.py"))):
        hashed.update(file.read_bytes() if file.exists() else b"")
    return hashed.hexdigest()[:32]
