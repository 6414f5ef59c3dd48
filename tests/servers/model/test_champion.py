"""Who is champion, by the journal, and that nothing but what was registered answers."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed
from pipelines.core.journal import promotions
from pipelines.core.registry import ASSEMBLE, ROLLBACK, TRAIN
from pipelines.learning import champion
from pipelines.learning.champion import KEPT, PROMOTED, ROLLED_BACK
from pipelines.stores import mlflow

NIGHT = "2026-11-20"


def test_who_is_champion_is_the_newest_of_the_case_that_was_named_so(made: Any) -> None:
    name = made.case.name
    late = (made.engine, name, "late")
    assert champion.current(*late) is None
    assert champion.cutoffs(*late) == {}
    made.promote(1, made.day(10))
    made.promote(2, made.day(11))
    made.promote(1, made.day(10), ROLLED_BACK)
    made.promote(3, made.day(12), KEPT)
    for other in ({"case_name": "another case"}, {"model": "minutes"}):
        row = {"model": "late", "version": 4, "decision": PROMOTED, "interval": NIGHT, **other}
        made.add(promotions, reason="", cutoff=made.day(13), evidence={}, attempt=1, **row)
    assert champion.current(*late).version == 1
    assert champion.cutoffs(*late) == {1: made.day(10), 2: made.day(11)}
    assert champion.of_version(*late, 2).cutoff == made.day(11)
    assert champion.of_version(*late, 3) is None
    assert champion.of_version(*late, 4) is None
    assert champion.current(made.engine, name, "minutes").version == 4


def test_without_a_champion_the_alias_stays_where_it_is(made: Any, registry: Any) -> None:
    champion.align_alias(made.context(ROLLBACK, NIGHT))
    assert registry.aliases == {}


def test_the_last_training_is_the_newest_that_was_finished(made: Any) -> None:
    late = (made.engine, made.case.name, "late")
    assert champion.last_training(*late) is None
    made.run(TRAIN, "2026-11-10", cutoff=made.day(11))
    attempt = made.run(TRAIN, "2026-11-09", cutoff=made.day(10))
    made.run(TRAIN, NIGHT, "failed", cutoff=made.day(21))
    made.run(ASSEMBLE, NIGHT)
    last = champion.last_training(*late)
    assert (last.attempt, last.outcome.details.cutoff) == (attempt, made.day(10))


def test_r15_bytes_that_train_did_not_register_never_score(made: Any, registry: Any) -> None:
    registry.add(1, NIGHT, made.day(21))

    def fetch(_: mlflow.Version, folder: Path) -> Path:
        (folder / "manifest.json").write_text("{}")
        return folder

    registry.fetch = fetch
    with pytest.raises(CheckFailed, match=r"manifest of sha256 .*, registered was digest; it was"):
        champion.load(made.settings, made.case, made.case.model(), 1)
