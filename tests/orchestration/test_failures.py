"""A stage that fails, a wrong call, and the death of the task or of the scheduler."""

import os
import signal

import pytest

from pipelines.services import supervisor
from tests.orchestration.flow import (
    CHECK,
    emitted,
    fail,
    in_turn,
    keyed,
    of_key,
    settle,
    succeed,
    wait_until,
)
from tests.stages import DATA, TRAINED

WRONG_CALL, FAILED = 2, 1
# It sleeps when its task, or the scheduler, is killed; at its second call it does not.
STRUCK = DATA[3]
SLEEPS = {"seconds": [20, 0]}


@pytest.fixture(scope="module")
def hopeless(client, stub):
    """A range whose raw check always fails: it runs while the other tests do, it takes a minute."""
    key = "2025-11-01/2025-11-02"
    stub.rule(DATA[2], key, exits=[FAILED])
    return keyed(client, "load_history", key)


def test_a_failed_stage_is_tried_again_and_the_rest_runs_once(client, stub, hopeless):
    key = "2026-05-01"
    stub.rule(DATA[1], key, exits=[FAILED, 0])
    assert set(succeed(client, keyed(client, "build_features", key)).values()) == {"success"}
    built = [call for call in stub.calls(key) if call.stage in DATA]
    assert [call.stage for call in built] == [DATA[0], DATA[1], *DATA[1:]]
    assert in_turn(built)
    assert emitted(client, "build_features", key) == 1


def test_a_wrong_call_is_not_tried_again(client, stub):
    key = "2026-05-02"
    stub.rule(TRAINED[0], key, exits=[WRONG_CALL])
    states = fail(client, keyed(client, "train_model", key))
    assert states == {
        CHECK: "success",
        TRAINED[0]: "failed",
        **dict.fromkeys(TRAINED[1:], "upstream_failed"),
    }
    assert stub.stages(key) == [TRAINED[0]]


def _struck(client, stub, key):
    """A run whose stage is at work, and that call."""
    stub.rule(STRUCK, key, **SLEEPS)
    run = keyed(client, "build_features", key)
    wait_until(lambda: stub.stages(key)[-1:] == [STRUCK], f"{STRUCK} of {key} begins")
    return run, stub.calls(key)[-1]


def test_r08_a_killed_task_is_tried_again_and_the_rest_runs_once(client, stub):
    key = "2026-05-03"
    run, call = _struck(client, stub, key)
    # The task's process, and what it started, as the kernel does when memory ends.
    os.kill(call.parent, signal.SIGKILL)
    os.kill(call.pid, signal.SIGKILL)
    assert set(succeed(client, run).values()) == {"success"}
    once = [stage for stage in DATA if stage != STRUCK]
    built = [call for call in stub.calls(key) if call.stage in DATA]
    assert [call.stage for call in built if call.stage != STRUCK] == once
    assert [call.number for call in built if call.stage == STRUCK] == [1, 2]
    assert emitted(client, "build_features", key) == 1


def test_r07_a_killed_scheduler_comes_back_and_the_run_goes_on(client, stub, settings):
    key = "2026-05-04"
    run, _ = _struck(client, stub, key)

    def scheduler():
        known = supervisor.processes(settings)
        return next(each["pid"] for each in known if each["name"] == "airflow-scheduler")

    killed = scheduler()
    os.kill(killed, signal.SIGKILL)
    assert set(succeed(client, run).values()) == {"success"}
    assert scheduler() not in (0, killed)
    settle(client, key)
    built = [call.stage for call in stub.calls(key) if call.stage in DATA]
    # What ran when it died may be tried again; what had ended, and what came after, is not.
    assert list(dict.fromkeys(built)) == list(DATA)
    assert {stage: built.count(stage) for stage in DATA if stage != STRUCK} == dict.fromkeys(
        (stage for stage in DATA if stage != STRUCK), 1
    )
    assert emitted(client, "build_features", key) == 1
    assert len(of_key(client, "train_model", key)) == 1


def test_a_stage_that_always_fails_ends_the_run_and_tells_nobody(client, stub, hopeless):
    states = fail(client, hopeless)
    assert states == {
        **dict.fromkeys((CHECK, *DATA[:2]), "success"),
        DATA[2]: "failed",
        **dict.fromkeys(DATA[3:], "upstream_failed"),
    }
    assert stub.stages(hopeless.key) == [*DATA[:2], *[DATA[2]] * 3]
    assert emitted(client, "load_history", hopeless.key) == 0
