"""Which answers, labels and verdicts a watch looks at, and what it notes in the journal."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.core.errors import CheckFailed, NothingDue, Superseded
from pipelines.core.journal import promotions, verdicts
from pipelines.core.registry import MONITOR, TRAIN
from pipelines.learning.champion import REFRESHED
from pipelines.learning.monitor import job
from pipelines.learning.monitor.drift import ColumnDrift, Drift
from pipelines.stores import mlflow, objects
from tests.servers.contexts import replace_holder

NIGHT = "2026-11-20"
PREDICTIONS = (
    "id int, decided_at timestamp, model_version bigint, probability double, "
    "predicted_at timestamp, decided_date date, number double"
)
LABELS = "id int, is_late boolean, known_at timestamp, known_date date"
STILL = ColumnDrift("number", 0.0, 0.25, False, 0.0, 0.0)
MOVED = ColumnDrift("number", 9.0, 0.25, True, 0.0, 0.0, ("new 'moon' (5 rows, 21%)",))


@pytest.fixture
def watch(made: Any, registry: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Six answers of version 1 in the night, all of them late or not, and a reference."""
    made.promote(1, made.day(5))
    registry.add(1, "2026-11-04", made.day(5))
    made.published = [("predictions", NIGHT), ("labels", NIGHT)]
    made.reference = pa.table(
        {"number": [1.0] * 4, "label": [0, 1, 0, 1], "probability": [0.5] * 4}
    )
    made.answers = [answer(number, made.day(21)) for number in range(6)]
    made.labels = []
    made.drift = STILL
    made.seen = []

    def reference(_: mlflow.Version) -> bytes:
        file = pa.BufferOutputStream()
        pq.write_table(made.reference, file)
        return bytes(file.getvalue())

    def compare(reference: pa.Table, current: pa.Table, *_: Any) -> tuple[Drift, str]:
        made.seen.append((reference, current))
        return Drift((made.drift,), (STILL,), 4, current.num_rows), "<body>"

    def run(interval: str = NIGHT) -> Any:
        versions = {
            "predictions": tables.make("predictions", PREDICTIONS, made.answers),
            "labels": tables.make("labels", LABELS, made.labels),
        }
        for name, key in made.published:
            made.publish(name, key, versions[name])
        return job.run(made.context(MONITOR, interval))

    registry.reference = reference
    monkeypatch.setattr(job, "compare", compare)
    made.watch = run
    return made


def answer(
    number: int, decided_at: datetime, version: int = 1, probability: float = 0.5, hour: int = 1
) -> tuple[Any, ...]:
    """Its number is its key and its input; given `hour` hours after the decision."""
    return (
        number,
        decided_at,
        version,
        probability,
        decided_at + timedelta(hours=hour),
        (decided_at - timedelta(microseconds=1)).date(),
        float(number),
    )


def label(number: int, is_late: bool | None, known_at: datetime) -> tuple[Any, ...]:
    return number, is_late, known_at, known_at.date()


def compared(watch: Any) -> list[tuple[float, float]]:
    (_, current), *_ = watch.seen
    rows = zip(current["number"].to_pylist(), current["probability"].to_pylist(), strict=True)
    return sorted(rows)


def test_a_verdict_is_noted_with_its_page(watch: Any) -> None:
    watch.drift = MOVED
    outcome = watch.watch()
    (row,) = watch.rows(verdicts)
    assert (row.model_version, row.drifted, row.due) == (1, True, False)
    assert "1 of the last 1 verdicts say drift, 2 of 3 are needed" in row.reason
    assert "number: new 'moon' (5 rows, 21%)" in row.reason
    assert row.statistics["inputs"][0]["notes"] == ["new 'moon' (5 rows, 21%)"]
    assert row.statistics["inputs"][0]["distance_max"] == 0.25
    assert objects.reports(watch.settings).read_text(row.page) == "<body>"
    assert outcome.rows == {"predictions": 6, "labelled": 0}


def test_an_interval_that_nobody_answered_is_not_judged(watch: Any) -> None:
    watch.answers = [answer(number, watch.day(20)) for number in range(6)]
    with pytest.raises(NothingDue, match="no predictions of 2026-11-20 to watch"):
        watch.watch()
    assert watch.rows(verdicts) == []


def test_answers_of_a_version_that_was_never_champion_are_not_judged(watch: Any) -> None:
    watch.answers = [answer(number, watch.day(21), version=2) for number in range(6)]
    with pytest.raises(NothingDue, match="to watch"):
        watch.watch()


def test_predictions_must_reach_the_end(watch: Any) -> None:
    with pytest.raises(CheckFailed, match=r"predictions is published until 2026-11-21T00:00Z"):
        watch.watch("2026-11-21")


def test_labels_must_be_published(watch: Any) -> None:
    watch.published.remove(("labels", NIGHT))
    with pytest.raises(CheckFailed, match=r"labels is not published; run build_features"):
        watch.watch()


def test_the_version_that_answered_last_is_judged_by_its_own_reference(watch: Any) -> None:
    watch.promote(2, watch.day(20))
    watch.answers += [answer(number, watch.day(21), version=1, hour=9) for number in range(6)]
    watch.answers += [answer(number, watch.day(21), version=2, hour=2) for number in range(6)]
    assert watch.watch().details.model_version == 1


def test_of_several_answers_the_newest_of_the_window_are_compared(watch: Any) -> None:
    watch.answers = [
        answer(1, watch.day(21), probability=0.25, hour=1),
        answer(1, watch.day(21), probability=0.75, hour=5),
        answer(2, watch.day(19), probability=0.1),  # decided at the window's open start
        answer(3, watch.day(19, 1), probability=0.2),
        answer(4, watch.day(21, 1), probability=0.3),  # after the interval
        answer(5, watch.day(20, 12), probability=0.4),
        answer(1, watch.day(20), probability=0.5),  # the same flight, decided a day before
    ]
    watch.watch()
    assert compared(watch) == [(1.0, 0.5), (1.0, 0.75), (3.0, 0.2), (5.0, 0.4)]


def test_an_hour_is_judged_by_the_hours_up_to_its_end(watch: Any) -> None:
    hour = "2026-11-20T13"
    watch.published.append(("predictions", hour))
    watch.answers = [
        answer(1, watch.day(20, 14)),
        answer(2, watch.day(20, 15)),  # after the hour
        answer(3, watch.day(18, 14)),  # at the window's open start
        answer(4, watch.day(18, 15)),
        answer(5, watch.day(20, 13), hour=9),  # of the hour before
    ]
    watch.labels = [
        label(1, True, watch.day(20, 14)),  # known too late
        *(label(number, True, watch.day(20, 13)) for number in (3, 4, 5)),
    ]
    outcome = watch.watch(hour)
    assert compared(watch) == [(1.0, 0.5), (4.0, 0.5), (5.0, 0.5)]
    assert outcome.rows["labelled"] == 3


def test_only_the_hours_own_answers_say_who_is_judged(watch: Any) -> None:
    watch.published.append(("predictions", "2026-11-20T13"))
    watch.answers = [answer(1, watch.day(20, 13)), answer(2, watch.day(20, 15))]
    with pytest.raises(NothingDue, match="no predictions of 2026-11-20T13 to watch"):
        watch.watch("2026-11-20T13")


def test_too_few_answers_are_no_verdict_whatever_they_look_like(watch: Any) -> None:
    watch.answers, watch.drift = watch.answers[:2], MOVED
    watch.watch()
    (row,) = watch.rows(verdicts)
    assert (row.drifted, row.due, row.page) == (None, False, None)
    assert "no verdict: 2 predictions, fewer than 3" in row.reason
    assert watch.seen == []


def test_both_sides_say_on_which_day_each_row_was_decided(watch: Any) -> None:
    """A decision at midnight of the 21st is of the 20th, a Friday."""
    decided = pa.array([watch.day(14), watch.day(7)] * 2, pa.timestamp("us", "UTC"))
    watch.reference = watch.reference.append_column("decided_at", decided)
    watch.watch()
    ((reference, current),) = watch.seen
    days = [sorted(set(side["decided_day"].to_pylist())) for side in (reference, current)]
    assert days == [[20763, 20770], [20777]]


def test_a_reference_without_rows_is_no_reference(watch: Any) -> None:
    watch.reference = watch.reference.slice(0, 0)
    with pytest.raises(CheckFailed, match=r"reference of made.late version 1 has no rows"):
        watch.watch()


def test_quality_is_of_answers_out_of_sample_and_labels_known_by_the_end(watch: Any) -> None:
    learned_until = watch.day(15)
    watch.promote(2, learned_until)
    old, new = watch.day(14), watch.day(16)
    watch.answers += [
        answer(11, old, probability=0.1),  # decided after version 1's cutoff
        answer(12, new, version=2, probability=0.2),
        answer(13, learned_until, version=2, probability=0.3),
        answer(14, old, version=2, probability=0.9),  # version 2 may have learned from it
        answer(15, new, version=3, probability=0.9),  # never champion
        answer(16, new, probability=0.9),  # its label comes too late
        answer(17, new, probability=0.9),  # its outcome is not known
        answer(18, new, probability=0.9),  # no label at all
        answer(19, watch.day(7), probability=0.9),  # before the two weeks
    ]
    known = watch.day(18)
    watch.labels = [
        label(11, False, known),
        label(12, True, known),
        label(13, True, known),
        label(13, False, watch.day(19)),  # corrected
        label(13, True, watch.day(21)),  # corrected too late
        *(label(number, True, known) for number in (14, 15)),
        label(16, True, watch.day(21)),
        label(17, None, known),
        label(19, True, known),
    ]
    outcome = watch.watch()
    quality = outcome.details.quality
    assert outcome.rows["labelled"] == 3
    assert quality["positive_rate"] == pytest.approx(1 / 3)
    assert quality["brier_score"] == pytest.approx((0.1**2 + 0.8**2 + 0.3**2) / 3)


def test_drift_of_k_of_the_last_n_verdicts_on_this_model_is_due(watch: Any) -> None:
    watch.drift = MOVED
    watch.judge("2026-11-19", due=True)
    assert watch.watch().details.due is True


@pytest.mark.parametrize(
    "other",
    [
        {"model_version": 2},  # drift from another's reference is no proof
        {"case_name": "another case"},
        {"model": "minutes"},
        {"interval": "2026-11-21", "until": datetime.fromisoformat("2026-11-22T00:00+00:00")},
        {"drifted": None},
        {"drifted": False},
    ],
)
def test_verdicts_on_other_models_other_cases_or_later_nights_do_not_count(
    watch: Any, other: Any
) -> None:
    watch.drift = MOVED
    watch.judge(**{"interval": "2026-11-19", "due": True, **other})
    assert watch.watch().details.due is False


def test_a_champion_that_takes_in_new_rows_each_night_is_one_model(
    watch: Any, registry: Any
) -> None:
    """Each night's version is another, but what was learned is the same: two of three are due."""
    for version, night in ((2, "2026-11-19"), (3, NIGHT)):
        watch.add(
            promotions, model="late", interval=night, version=version, decision=REFRESHED,
            reason="", champion_before=version - 1, cutoff=watch.day(5), metric="roc_auc",
            value=0.7, evidence={"learned": 1}, attempt=1,
        )  # fmt: skip
        registry.add(version, night, watch.day(5))
    watch.judge("2026-11-19", due=True, model_version=2)
    watch.drift = MOVED
    watch.answers = [answer(number, watch.day(21), version=3) for number in range(6)]
    assert watch.watch().details.due


def test_a_challenger_that_the_gate_kept_out_rests_drift_too(watch: Any) -> None:
    watch.drift = MOVED
    watch.judge("2026-11-19", due=True)
    watch.run(TRAIN, "2026-11-18", cutoff=watch.day(19))
    outcome = watch.watch()
    assert outcome.details.due is False
    assert "the last model learned up to 2026-11-19 00:00, which rests until" in (
        outcome.details.reason
    )


def test_r11_an_attempt_that_was_replaced_notes_no_verdict(
    watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = job._reference

    def replaced(*given: Any) -> Any:
        replace_holder(watch.engine, watch.case.name, "verdicts of late")
        return fetch(*given)

    monkeypatch.setattr(job, "_reference", replaced)
    with pytest.raises(Superseded):
        watch.watch()
    assert watch.rows(verdicts) == []
