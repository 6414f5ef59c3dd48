"""What `millrace status` calls the newest, when an old day was done again after it."""

from typing import Any

from pipelines.core.registry import PREDICT
from pipelines.insight import status

NEWEST, OLD = "2026-11-20", "2026-11-10"


def test_after_an_old_day_was_done_again_the_newest_day_is_still_the_newest(made: Any) -> None:
    for interval, version in ((NEWEST, 2), (OLD, 1)):
        made.run(PREDICT, interval, model_version=version)
        made.publish("predictions", interval, version)
        made.judge(interval, due=False, drifted=interval == OLD)
    found = status.case_status(made.engine, made.case)
    late = found["models"]["late"]
    assert late["predictions"] == {
        "rows": 1,
        "model_version": 2,
        "until": "2026-11-21T00:00:00+00:00",
    }
    assert (late["drift"]["interval"], late["drift"]["drifted"]) == (NEWEST, False)
    assert found["tables"][made.case.table("gold", "predictions")]["version"] == 1
