"""What versions are made of, and the identity of a prediction."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import chain, pairwise

import pytest

from pipelines.core.errors import UsageError
from pipelines.core.outcomes import Predicted, Trained
from pipelines.insight.lineage.case import CaseLineage
from pipelines.insight.lineage.facts import Provenance, to_json
from pipelines.insight.lineage.history import History, Publication, Run
from pipelines.insight.lineage.predictions import PredictionId
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def run(attempt: int, stage: str, **given: object) -> Run:
    at = NOON + timedelta(hours=attempt)
    known = {
        "model": "late",
        "reads": {},
        "writes": {},
        "details": None,
        "interval": "2026-11-20",
        **given,
    }
    return Run(attempt=attempt, stage=stage, started_at=at, ended_at=at, **known)


def trained(*, reused: bool) -> Trained:
    same = {"fingerprint": "f", "digest": "d", "interval": "2026-11-20", "cutoff": NOON}
    return Trained(number=7, run_id="r", reused=reused, **same)


def published(interval: str, version: int) -> Publication:
    return Publication("bronze.toy_days", interval, version, NOON)


HISTORY = History(
    runs=[
        run(1, "ingest", writes={"bronze.toy_days": 1}),
        run(2, "ingest", writes={"bronze.toy_days": 2}),
        run(3, "ingest", writes={"bronze.toy_days": 2}),
        run(4, "train", details=trained(reused=False)),
        run(5, "train", details=trained(reused=True)),
        run(6, "predict", details=Predicted(model_version=7)),
        run(7, "predict", details=Predicted(model_version=8)),
    ],
    publications=[
        published("2026-11-18", 1),
        published("2026-11-19", 2),
        published("2026-11-17/2026-11-19", 3),
        published("2026-11-20", 4),
        published("2026-11-18", 5),
    ],
)


@pytest.mark.parametrize(
    ("version", "intervals"),
    [
        (1, ["2026-11-18"]),
        (2, ["2026-11-18", "2026-11-19"]),
        # The range was loaded again: nothing is left of the two days' own runs.
        (4, ["2026-11-17/2026-11-19", "2026-11-20"]),
        # One day of a range was built again: the range still gave the other days.
        (5, ["2026-11-17/2026-11-19", "2026-11-20", "2026-11-18"]),
        (6, []),
    ],
)
def test_a_version_is_made_of_what_no_later_publication_replaced(
    version: int, intervals: list[str]
) -> None:
    assert [part.interval for part in HISTORY.parts("bronze.toy_days", version)] == intervals


def test_parts_are_those_that_a_look_at_every_pair_finds() -> None:
    seed = 20261122
    print(f"seed {seed}")
    dice = random.Random(seed)  # noqa: S311
    for _ in range(200):
        keys = []
        for _ in range(30):
            first = date(2026, 11, 1) + timedelta(days=dice.randrange(25))
            day, last = (
                first.isoformat(),
                (first + timedelta(days=dice.randrange(1, 9))).isoformat(),
            )
            keys.append(dice.choice([day, f"{day}T{dice.randrange(24):02d}", f"{day}/{last}"]))
        noted = [published(key, version) for version, key in enumerate(keys)]
        found = History(runs=[], publications=noted).parts("bronze.toy_days", len(keys) - 1)
        assert [part.interval for part in found] == kept_of_every_pair(keys)


def kept_of_every_pair(keys: list[str]) -> list[str]:
    """Those that lie within no later one."""
    parsed = [Interval.parse(key) for key in keys]
    return [
        one.key
        for at, one in enumerate(parsed)
        if not any(later.start <= one.start and one.end <= later.end for later in parsed[at + 1 :])
    ]


def test_a_version_of_many_ways_is_worked_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Layers of two tables that each read both of the layer before: 2 to the 12th ways."""
    layers = [(f"gold.left_{at}", f"gold.right_{at}") for at in range(12)]
    runs = [
        run(at, "transform", reads=dict.fromkeys(before, 1), writes=dict.fromkeys(after, 1))
        for at, (before, after) in enumerate(pairwise(layers))
    ]
    noted = [Publication(name, "2026-11-20", 1, NOON) for layer in layers for name in layer]
    asked: list[str] = []
    parts = History.parts

    def counted(history: History, table: str, version: int) -> list[Publication]:
        asked.append(table)
        return parts(history, table, version)

    monkeypatch.setattr(History, "parts", counted)
    case = find("flight_delays")
    known = Provenance(case, CaseLineage(case.name, ()), History(runs, noted))
    fact = known.table("gold.left_11", 1)
    assert sorted(asked) == sorted(["gold.left_11", *chain(*layers[:-1])])
    assert len(to_json(fact)["facts"]) == len(asked)


def test_of_two_runs_that_wrote_one_version_the_newest_counts() -> None:
    assert HISTORY.writer("bronze.toy_days", 2).attempt == 3
    assert HISTORY.writer("bronze.toy_days", 9) is None


def test_a_model_is_made_by_the_first_run_that_names_it() -> None:
    assert HISTORY.training("late", 7).attempt == 4
    assert HISTORY.training("late", 8) is None
    assert HISTORY.training("minutes", 7) is None


def test_an_answer_is_of_the_run_that_was_at_work_then() -> None:
    assert HISTORY.answered("late", 8, NOON + timedelta(hours=7)).attempt == 7
    assert HISTORY.answered("late", 7, NOON + timedelta(hours=7)) is None
    assert HISTORY.answered("minutes", 8, NOON + timedelta(hours=7)) is None


@pytest.mark.parametrize(
    ("key", "at", "text"),
    [
        (("2026-11-20_UA_1_EWR",), datetime(2026, 11, 21, tzinfo=UTC),
         "2026-11-20_UA_1_EWR@2026-11-21T00:00:00Z@v3"),
        (("a,b", "c@d/ä"), datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC),
         "a%2Cb,c%40d%2F%C3%A4@2026-11-21T01:02:03.000004Z@v3"),
    ],
)  # fmt: skip
def test_an_identity_is_printed_and_read_back(
    key: tuple[str, ...], at: datetime, text: str
) -> None:
    made = PredictionId(key, at, 3)
    assert str(made) == text
    assert PredictionId.parse(text) == made


@pytest.mark.parametrize(
    "text", ["", "x", "x@yesterday@v1", "x@2026-11-21T00:00:00@v1", "x@2026-11-21T00:00:00Z@1"]
)
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--prediction newest"):
        PredictionId.parse(text)
