"""Two models of one case: cutoffs, cadences, gates, leases, tables and verdicts never mix."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.core import lease
from pipelines.core.errors import NothingDue, ServiceUnavailable
from pipelines.core.journal import promotions, runs
from pipelines.core.lease import Lease
from pipelines.core.outcomes import Judged
from pipelines.core.registry import DUE_TRAINING, PREDICT, PROMOTE, TRAIN
from pipelines.insight import status
from pipelines.learning import champion, due_training, gate, promote, rollback, verdicts
from pipelines.use_cases.spec.model import Gate
from tests.servers.contexts import replace_holder

NIGHT = "2026-11-20"


@pytest.fixture
def two(made: Any) -> Any:
    """The made-up case with a further model, weekly, whose gate asks for another metric."""
    late = made.case.model()
    other = replace(
        late,
        name="early",
        prefix="early_",
        cadence="weekly",
        gate=Gate(metric="brier_score", floor=0.2, loss_max=0.01),
    )
    made.case = replace(made.case, models=(late, other))
    return made


def of(two: Any, stage: Any, model: str, interval: str = NIGHT) -> Any:
    """What the runner hands to a stage of that model."""
    context = two.context(stage, interval)
    name = f"{stage.lease} of {model}"
    if stage.lease:
        replace_holder(two.engine, two.case.name, name, context.attempt)
    held = Lease(two.engine, two.case.name, name, context.attempt) if stage.lease else None
    return replace(context, lease=held, chosen=two.case.model(model))


def publish(two: Any) -> None:
    for name in ("states", "decisions", "labels"):
        two.publish(name, NIGHT, 1)


def due(two: Any, model: str) -> str:
    try:
        return due_training.run(of(two, DUE_TRAINING, model)).details.reason
    except NothingDue as nothing:
        return f"nothing due: {nothing}"


def test_each_is_due_by_its_own_cadence_and_its_own_last_training(two: Any) -> None:
    publish(two)
    assert due(two, "late") == due(two, "early") == "there is no model yet"
    two.run(TRAIN, NIGHT, cutoff=two.day(20))
    # A training of one is none of the other.
    assert due(two, "late") == "nightly: the last model learned up to 2026-11-20"
    assert due(two, "early") == "there is no model yet"
    two.add(
        runs,
        model="early",
        stage=TRAIN.name,
        interval=NIGHT,
        state="done",
        result={"details": {**SAID, "cutoff": two.day(19).isoformat()}},
    )
    assert due(two, "early").startswith("nothing due: cadence is weekly")


SAID = {
    "number": 1, "run_id": "r", "interval": NIGHT, "fingerprint": "f", "digest": "d",
    "reused": False,
}  # fmt: skip


def test_drift_of_one_retrains_that_one(two: Any) -> None:
    two.judge(NIGHT, due=True)
    late, early = (verdicts.newest(of(two, DUE_TRAINING, name)) for name in ("late", "early"))
    assert (late.due, early) == (True, None)


def test_each_has_its_champion_and_a_rollback_moves_one(two: Any, registry: Any) -> None:
    name = two.case.name
    for version in (1, 2):
        two.promote(version, two.day(10 + version))
    two.add(
        promotions, model="early", version=7, decision="promoted", interval=NIGHT, reason="",
        cutoff=two.day(15), evidence={}, attempt=1,
    )  # fmt: skip
    context = of(two, PROMOTE, "late")
    rollback.run(replace(context, options={"to": "1"}))
    assert champion.current(two.engine, name, "late").version == 1
    assert champion.current(two.engine, name, "early").version == 7
    assert champion.cutoffs(two.engine, name, "early") == {7: two.day(15)}
    assert registry.aliases == {"champion": 1}


def test_each_is_judged_by_its_own_gate(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(gate, "seen", lambda gate, task, *_: asked.append(gate) or _seen(task))
    monkeypatch.setattr(promote, "_challenger", lambda _: _version(two))
    monkeypatch.setattr(promote, "_evaluation", lambda *_: _no_rows())
    monkeypatch.setattr(promote, "_answered", lambda *_: None)
    for model in ("late", "early"):
        found = promote.run(of(two, PROMOTE, model)).details
        assert isinstance(found, Judged)
    assert [each.metric for each in asked] == [None, "brier_score"]
    assert [row.model for row in two.rows(promotions)] == ["late", "early"]


def _seen(task: Any) -> Any:
    return gate.Seen(task.metric(), 0, "", None, None)


def _version(two: Any) -> Any:
    from pipelines.stores.mlflow import Version

    return Version(3, "r", NIGHT, "f", "d", 0, two.day(21))


def _no_rows() -> Any:
    import pyarrow as pa

    return pa.table({"day": pa.array([], pa.int32())})


def test_one_holds_its_lease_while_the_other_works(two: Any) -> None:
    name = two.case.name
    with (
        lease.hold(two.engine, name, "training set of late", 1, 5),
        lease.hold(two.engine, name, "training set of early", 2, 5),
        pytest.raises(ServiceUnavailable, match="training set of late"),
        lease.hold(two.engine, name, "training set of late", 3, 0.5),
    ):
        pass


def test_status_tells_them_apart(two: Any) -> None:
    two.promote(1, two.day(10))
    two.run(PREDICT, NIGHT, model_version=1)
    two.publish("predictions", NIGHT, 3)
    found = status.case_status(two.engine, two.case)["models"]
    assert found["late"]["champion"]["version"] == 1
    assert found["late"]["predictions"]["model_version"] == 1
    assert set(found["early"].values()) == {None}


def test_their_tables_are_their_own(two: Any) -> None:
    late, early = two.case.models
    assert (late.training_set, late.predictions) == ("training_set", "predictions")
    assert (early.training_set, early.predictions) == ("early_training_set", "early_predictions")
