"""The journal's compare-and-set on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import Engine, func, select

from pipelines.core.errors import Superseded
from pipelines.core.journal import promotions
from pipelines.learning import champion

CUTOFF = datetime(2026, 11, 20, tzinfo=UTC)
NUM_THREADS = 50


def row(case: str, version: int) -> dict[str, object]:
    return {
        "case_name": case,
        "model": "late",
        "interval": "2026-11-19",
        "version": version,
        "decision": champion.PROMOTED,
        "reason": "a race",
        "champion_before": None,
        "cutoff": CUTOFF,
        "metric": "roc_auc",
        "value": 0.7,
        "evidence": {},
        "attempt": version,
    }


def race(journal: Engine, case: str, first_version: int) -> list[str]:
    """So many promotions at once, each compared with the champion before; what losers are told."""
    before = champion.current(journal, case, "late")

    def one(version: int) -> str | None:
        try:
            with journal.begin() as connection:
                champion.succeed(connection, row(case, version), before)
        except Superseded as told:
            return str(told)
        return None

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        told = list(pool.map(one, range(first_version, first_version + NUM_THREADS)))
    return [words for words in told if words]


def test_r14_of_many_promotions_at_once_one_wins_and_the_others_are_told(journal: Engine) -> None:
    for turn, first_version in enumerate((1, 101), start=1):
        told = race(journal, "raced", first_version)
        winner = champion.current(journal, "raced", "late")
        assert winner is not None
        assert first_version <= winner.version < first_version + NUM_THREADS
        assert told == [
            f"version {winner.version} became the champion of raced.late in the meantime; "
            "run this stage again, to go on from that one"
        ] * (NUM_THREADS - 1)
        with journal.connect() as connection:
            rows = select(func.count()).where(promotions.c.case_name == "raced")
            assert connection.execute(rows).scalar_one() == turn
