"""One writer of each thing; a writer that was thought dead can't commit (R11, R12)."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select

from pipelines.core import lease
from pipelines.core.errors import ServiceUnavailable, Superseded
from pipelines.core.journal import fences
from pipelines.core.registry import STAGES
from tests.servers.contexts import new_attempt, replace_holder


@pytest.fixture
def attempt(journal):
    return lambda case: new_attempt(journal, case, "ingest")


def test_r12_stages_of_one_lease_run_one_after_the_other(journal, attempt):
    order: list[str] = []

    def work(number: int) -> None:
        with lease.hold(journal, "t_serial", "raw", attempt("t_serial"), 30):
            order.append(f"in {number}")
            time.sleep(0.05)
            order.append(f"out {number}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entered, left = order[::2], order[1::2]
    assert [e.replace("in", "out") for e in entered] == left
    assert len(order) == 12


def test_two_cases_do_not_wait_for_each_other(journal, attempt):
    with (
        lease.hold(journal, "t_one", "raw", attempt("t_one"), 1),
        lease.hold(journal, "t_two", "raw", attempt("t_two"), 1),
    ):
        pass


def test_a_long_training_delays_nothing_but_the_next_training(journal, attempt):
    names = ("raw", "features", "predictions", "verdicts", "champion")
    with lease.hold(journal, "t_halves", "training set", attempt("t_halves"), 1):
        for name in names:
            with (
                lease.hold(journal, "t_halves", name, attempt("t_halves"), 1) as held,
                held.commit() as connection,
            ):
                assert connection.execute(select(fences.c.attempt).limit(1)).first()
        with (
            pytest.raises(ServiceUnavailable, match="training set of t_halves is busy"),
            lease.hold(journal, "t_halves", "training set", attempt("t_halves"), 0.3),
        ):
            pass


def test_r11_the_fence_of_one_lease_is_not_anothers(journal, attempt):
    with lease.hold(journal, "t_fences", "raw", attempt("t_fences"), 1) as held:
        replace_holder(journal, "t_fences", "features")
        with held.commit():
            pass
        replace_holder(journal, "t_fences", "raw")
        with pytest.raises(Superseded), held.commit():
            pytest.fail("a replaced attempt got into its commit")


def test_every_stage_that_commits_has_a_lease_of_what_it_writes():
    assert {stage.name: stage.lease for stage in STAGES.values()} == {
        **dict.fromkeys(("extract", "ingest", "validate_raw"), "raw"),
        **dict.fromkeys(("transform", "validate_features", "materialize"), "features"),
        **dict.fromkeys(("assemble", "validate_training_set", "train"), "training set"),
        **dict.fromkeys(("predict", "validate_predictions"), "predictions"),
        **dict.fromkeys(("promote", "refresh", "rollback"), "champion"),
        **dict.fromkeys(("due_training", "due_drift"), None),
        "monitor": "verdicts",
        "leaks": "leaks",
    }


def test_a_busy_lease_says_who_holds_it(journal, attempt):
    with (
        lease.hold(journal, "t_busy", "raw", attempt("t_busy"), 1),
        pytest.raises(ServiceUnavailable, match="raw of t_busy is busy with ingest of 2026-11-20"),
        lease.hold(journal, "t_busy", "raw", attempt("t_busy"), 0.3),
    ):
        pass


def test_r11_an_attempt_that_was_replaced_cannot_commit(journal, attempt):
    first, second = attempt("t_fence"), attempt("t_fence")
    with lease.hold(journal, "t_fence", "raw", first, 1) as stalled:
        replace_holder(journal, "t_fence", "raw", second)
        with pytest.raises(Superseded, match=f"replaced by attempt {second}"), stalled.commit():
            pytest.fail("a replaced attempt got into its commit")


HOLDER = """
import sys
from pipelines.core.settings import Settings
from pipelines.core import journal, lease
engine = journal.engine(Settings())
with lease.hold(engine, "t_stopped", "raw", int(sys.argv[1]), 5) as held:
    print("held", flush=True)
    sys.stdin.readline()
    with held.commit():
        print("committed", flush=True)
"""


def test_r11_a_stopped_process_loses_the_case_and_is_refused_when_it_wakes(
    environment, journal, attempt
):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(attempt("t_stopped"))],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)
    second = attempt("t_stopped")
    with lease.hold(journal, "t_stopped", "raw", second, lease.IDLE_SECONDS + 30):
        with journal.connect() as connection:
            fence = select(fences.c.attempt).filter_by(case_name="t_stopped", lease="raw")
            assert connection.execute(fence).scalar_one() == second
        holder.send_signal(signal.SIGCONT)
        said, complained = holder.communicate("go on\n", timeout=30)
    assert said == ""
    assert f"replaced by attempt {second}" in complained
