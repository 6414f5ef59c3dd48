"""One writer of each thing that stages write, and a fence against one that was thought dead.

A lease is of a case and of what is written by its holder: `raw`, `features`, `training set`,
`predictions`, `verdicts`, `champion`; so a training delays nobody but the next training. A Postgres
advisory lock serialises the holders of one lease. Its session is kept alive by a thread;
when the process is stopped or stuck, PostgreSQL ends the idle session itself
(`idle_session_timeout`) and the lock is free for the retry. The retry writes its
attempt number into the fence, and `Lease.commit` refuses any other: a stalled attempt that wakes
up can't publish.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from pipelines.core.errors import ServiceUnavailable, Superseded
from pipelines.core.journal import fences, insert_or_update, runs

log = logging.getLogger(__name__)

# A stopped holder is found out after this long; a live one pings five times as often.
IDLE_SECONDS = 30


@dataclass(frozen=True)
class Lease:
    """The right of one attempt to write one thing of one case."""

    engine: Engine
    case: str
    name: str
    attempt: int

    @contextmanager
    def commit(self) -> Iterator[Connection]:
        """A transaction that only the newest holder of the lease gets through.

        Raises:
            Superseded: a newer attempt has taken over.
        """
        with self.engine.begin() as connection:
            fence = select(fences.c.attempt).where(
                fences.c.case_name == self.case, fences.c.lease == self.name
            )
            newest = connection.execute(fence.with_for_update()).scalar_one()
            if newest != self.attempt:
                raise Superseded(
                    f"attempt {self.attempt} at {self.name} of {self.case} was replaced by attempt "
                    f"{newest}, so it may not commit; nothing was published by it"
                )
            yield connection


@contextmanager
def hold(
    engine: Engine, case: str, name: str, attempt: int, timeout_seconds: float
) -> Iterator[Lease]:
    """Wait for the lease, then hold it until the block ends.

    Raises:
        ServiceUnavailable: the lock was not free in time; the message names the holder.
    """
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    ended = threading.Event()
    keeper = threading.Thread(target=_keep_alive, args=(connection, ended), daemon=True)
    try:
        connection.execute(text(f"set idle_session_timeout = '{IDLE_SECONDS}s'"))
        _wait(connection, case, name, time.monotonic() + timeout_seconds)
        fence = insert_or_update(fences, case_name=case, lease=name, attempt=attempt)
        connection.execute(fence)
        keeper.start()
        yield Lease(engine, case, name, attempt)
    finally:
        ended.set()
        if keeper.is_alive():
            keeper.join()
        # Closing the session frees the lock; it may be gone already, which frees it too.
        with suppress(SQLAlchemyError):
            connection.invalidate()
            connection.close()


def _wait(connection: Connection, case: str, name: str, deadline: float) -> None:
    lock = select(func.pg_try_advisory_lock(func.hashtext(f"millrace:{case}:{name}")))
    waiting = False
    while not connection.execute(lock).scalar_one():
        if time.monotonic() > deadline:
            raise ServiceUnavailable(
                f"{name} of {case} is busy with {_holder(connection, case, name)}; "
                "wait for it, or raise MILLRACE_LOCK_TIMEOUT_SECONDS"
            )
        if not waiting:
            holder = _holder(connection, case, name)
            log.info("waiting for %s of %s: it is busy with %s", name, case, holder)
            waiting = True
        time.sleep(0.2)


def _holder(connection: Connection, case: str, name: str) -> str:
    newest = (
        select(runs.c.stage, runs.c.interval)
        .join(fences, fences.c.attempt == runs.c.attempt)
        .where(fences.c.case_name == case, fences.c.lease == name)
    )
    row = connection.execute(newest).first()
    return f"{row.stage} of {row.interval}" if row else "another stage"


def _keep_alive(connection: Connection, ended: threading.Event) -> None:
    while not ended.wait(IDLE_SECONDS / 5):
        try:
            connection.execute(text("select 1"))
        except SQLAlchemyError as error:
            # The stage goes on: the fence, not this thread, decides whether it may commit.
            log.warning("the lease was lost (%s)", error)
            return
