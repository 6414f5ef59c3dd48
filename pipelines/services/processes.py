"""Which processes are ours, found without the supervisor's help, and the end of all of them."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

from pipelines.services.supervisor import MARK


def end_all(home: Path, session: int | None, patience_seconds: float = 10) -> list[int]:
    """End what runs for this home: asked first, killed after a while; returns the process ids."""
    ended: list[int] = []
    while found := of_home(home, session):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(found, timeout=patience_seconds)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=patience_seconds)
        ended += [process.pid for process in found]
    return ended


def of_home(home: Path, session: int | None) -> list[psutil.Process]:
    """Processes of this home, except this one and those that started it.

    A mark in the environment tells them, or the supervisor's session: Airflow and PostgreSQL
    write their title over the environment, but stay in the session. Their children belong too.
    """
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    session = session if session and not is_foreign(session, home) else None
    roots = [each for each in psutil.process_iter() if _belongs(each, home, session)]
    family = {each.pid: each for each in roots}
    for root in roots:
        with suppress(psutil.Error):
            family |= {child.pid: child for child in root.children(recursive=True)}
    return [each for pid, each in family.items() if pid not in spared and _is_alive(each)]


def is_foreign(session: int, home: Path) -> bool:
    """Whether the id of a dead supervisor has meanwhile gone to a process of somebody else's."""
    try:
        return psutil.Process(session).environ().get(MARK) != str(home)
    except psutil.NoSuchProcess:
        # What it started may live on in its session, and as long as it does nobody gets the id.
        return False
    except psutil.AccessDenied:
        return True


def _belongs(process: psutil.Process, home: Path, session: int | None) -> bool:
    with suppress(psutil.Error, ProcessLookupError):
        if session is not None and os.getsid(process.pid) == session:
            return True
        return process.environ().get(MARK) == str(home)
    return False


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
