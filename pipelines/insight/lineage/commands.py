"""`millrace lineage`: of a column, of what it changes, of one prediction."""

import json
from typing import Annotated, Any

import typer

from pipelines.core.errors import CheckFailed, UsageError
from pipelines.core.settings import Settings
from pipelines.use_cases import find
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

CaseArgument = Annotated[str, typer.Argument(help="the use case, such as flight_delays")]


def lineage(
    case: CaseArgument,
    column: Annotated[str, typer.Option(help="TABLE.COLUMN: all that it comes from")] = "",
    impact: Annotated[str, typer.Option(help="TABLE.COLUMN: all that it goes into")] = "",
    prediction: Annotated[
        str, typer.Option(help="ROW_KEY@DECIDED_AT@vVERSION, or newest: all it was made of")
    ] = "",
    model: Annotated[str, typer.Option(help="whose prediction, where a case has several")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Say where a column comes from, what it changes, or what a prediction was made of."""
    if sum(map(bool, (column, impact, prediction))) != 1:
        raise UsageError("give exactly one of --column, --impact and --prediction")
    chosen = find(case)
    if prediction:
        found, words = _of_prediction(chosen, chosen.model(model or None), prediction)
    else:
        found, words = _of_column(chosen, column or impact, downstream=bool(impact))
    typer.echo(json.dumps(found, default=str) if as_json else words)


def _of_column(case: UseCase, name: str, *, downstream: bool) -> tuple[dict[str, Any], str]:
    from pipelines.insight.lineage import kept, walk

    settings = Settings()
    known = kept.case_lineage(settings, _journal(settings), case)
    if not any(node.name.startswith("silver.") for node in known.nodes) and case.silver:
        raise CheckFailed(
            f"no transform of {case.name} has kept its SQL yet; run transform of any interval"
        )
    asked = walk.asked_field(known, name)
    step = walk.walk(known, asked, "downstream" if downstream else "upstream")
    place = {"asked": str(asked), "direction": "downstream" if downstream else "upstream"}
    return {**place, **walk.to_json(known, step)}, walk.in_words(step)


def _of_prediction(case: UseCase, model: Model, asked: str) -> tuple[dict[str, Any], str]:
    from pipelines.insight.lineage import facts, history, kept, predictions

    settings = Settings()
    journal = _journal(settings)
    past = history.read(journal, case.name)
    said = predictions.find(settings, past, case, model, asked)
    provenance = facts.Provenance(case, kept.case_lineage(settings, journal, case), past)
    fact = provenance.prediction(said)
    return facts.to_json(fact), facts.in_words(fact)


def _journal(settings: Settings) -> Any:
    """The journal's engine; starts the embedded PostgreSQL, and nothing else, if it is down."""
    from pipelines import services
    from pipelines.core import journal

    services.ensure(settings, ("postgres",))
    return journal.engine(settings)
