"""One writer a case; a writer that was thought dead can't commit (R11, R12)."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import insert, select

from pipelines.core import lease
from pipelines.core.errors import ServiceUnavailable, Superseded

pytestmark = pytest.mark.integration


@pytest.fixture
def attempt(journal):
    """Makes rows of `ops.runs`, which number the attempts."""

    def make(case: str) -> int:
        row = insert(journal.runs).values(
            case_name=case, stage="ingest", interval="2026-11-20", state="running"
        )
        with journal.begin() as connection:
            return connection.execute(row.returning(journal.runs.c.attempt)).scalar_one()

    return make


def test_r12_stages_of_one_case_run_one_after_the_other(journal, attempt):
    order: list[str] = []

    def work(number: int) -> None:
        with lease.hold(journal, "t_serial", attempt("t_serial"), 30):
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
        lease.hold(journal, "t_one", attempt("t_one"), 1),
        lease.hold(journal, "t_two", attempt("t_two"), 1),
    ):
        pass


def test_a_busy_case_says_who_holds_it(journal, attempt):
    with (
        lease.hold(journal, "t_busy", attempt("t_busy"), 1),
        pytest.raises(ServiceUnavailable, match="t_busy is busy with ingest of 2026-11-20"),
        lease.hold(journal, "t_busy", attempt("t_busy"), 0.3),
    ):
        pass


def test_r11_an_attempt_that_was_replaced_cannot_commit(journal, attempt):
    first, second = attempt("t_fence"), attempt("t_fence")
    with lease.hold(journal, "t_fence", first, 1) as stalled:
        with journal.begin() as connection:  # what the second attempt does once it has the lock
            row = journal.insert_or_update(journal.fences, case_name="t_fence", attempt=second)
            connection.execute(row)
        with pytest.raises(Superseded, match=f"replaced by attempt {second}"), stalled.commit():
            pytest.fail("a replaced attempt got into its commit")


HOLDER = """
import sys
from pipelines.core.settings import Settings
from pipelines.core import journal, lease
engine = journal.engine(Settings())
with lease.hold(engine, "t_stopped", int(sys.argv[1]), 5) as held:
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
    with lease.hold(journal, "t_stopped", second, lease.IDLE_SECONDS + 30):
        with journal.connect() as connection:
            fence = select(journal.fences.c.attempt).filter_by(case_name="t_stopped")
            assert connection.execute(fence).scalar_one() == second
        holder.send_signal(signal.SIGCONT)
        said, complained = holder.communicate("go on\n", timeout=30)
    assert said == ""
    assert f"replaced by attempt {second}" in complained
