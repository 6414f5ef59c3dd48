"""Start, stop and health of the parts; safe to call twice, and from several processes at once."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import databases, first_start, homes, postgres_server, secrets, supervisor
from pipelines.services.parts import PARTS, Part, chosen

log = logging.getLogger(__name__)

Health = Literal["up", "down", "starting"]

# A long wait says every so often that it goes on.
_SAY_SECONDS = 15

# Programs in these states come up by themselves, or are up.
_COMING = ("STARTING", "RUNNING", "BACKOFF")


def start(settings: Settings, parts: Sequence[str] | None = None) -> None:
    """`ensure` for a person who asks for it: settings that running parts do not have are refused.

    A stage by hand needs no more than the parts that it finds.

    Raises:
        ServiceUnavailable: as `ensure`, or a part runs with other settings; names the setting.
    """
    if supervisor.is_up(settings):
        supervisor.check_unchanged(settings)
    ensure(settings, parts)


def ensure(settings: Settings, parts: Sequence[str] | None = None) -> None:
    """Have these parts (None: all) and what they need up and well; does nothing when they are.

    A part that runs elsewhere is waited for.

    Raises:
        ServiceUnavailable: a part did not come up; says which, why, and what to do.
    """
    wanted = chosen(tuple(parts) if parts is not None else None)
    ours = [part for part in wanted if not part.elsewhere(settings)]
    if (not ours or supervisor.is_up(settings)) and all(part.probe(settings) for part in wanted):
        return
    if not ours or supervisor.MARK in os.environ:
        # A supervised process must not start its own supervisor again; the parts come back alone.
        _wait(settings, wanted)
        return
    with _alone(settings):
        _start(settings, wanted)


def health(settings: Settings) -> dict[str, Health]:
    """Each part's health, by a real question to it."""
    states = supervisor.states(settings)
    return {name: _health(settings, part, states) for name, part in PARTS.items()}


def stop(settings: Settings) -> None:
    """Stop all parts; no process of this home is left, also when its supervisor had been killed."""
    from pipelines.services import processes

    session = _session(settings)
    supervisor.shut_down(settings)
    deadline = time.monotonic() + 60
    while supervisor.is_up(settings) and time.monotonic() < deadline:
        time.sleep(0.1)
    _wait_for_end(session, deadline)
    processes.end_all(settings.home, session)
    supervisor.pid_file(settings).unlink(missing_ok=True)


def clean(settings: Settings) -> None:
    """Stop all parts and remove all local state, wherever it lies.

    Raises:
        UsageError: the home is a folder of somebody else's; nothing is touched.
    """
    homes.check(settings.home)
    stop(settings)
    postgres_server.remove(settings)
    if settings.sockets_home != settings.home:
        settings.sockets_home.unlink(missing_ok=True)
    homes.remove(settings.home)


def _start(settings: Settings, wanted: Sequence[Part]) -> None:
    from pipelines.services import preflight, processes

    preflight.check_machine(settings)
    secrets.make(settings)
    first_start.remember(settings)
    if supervisor.is_up(settings):
        supervisor.check_unchanged(settings)
    else:
        processes.end_all(settings.home, _session(settings))
        supervisor.start(settings, {name: part.programs for name, part in PARTS.items()})
    postgres = PARTS["postgres"]
    needs_databases = postgres in wanted or settings.catalog == "postgres"
    if needs_databases and postgres.elsewhere(settings):
        _wait(settings, [postgres])
        databases.make(settings)
    for part in wanted:
        if not part.elsewhere(settings):
            _wait(settings, [PARTS[need] for need in part.needs])
            _start_part(settings, part)
    _wait(settings, wanted)


def _start_part(settings: Settings, part: Part) -> None:
    from pipelines.services import preflight

    states = supervisor.states(settings)
    coming = [name for name in part.programs if states.get(name) in _COMING]
    if len(coming) == len(part.programs):
        return
    log.info("starting %s", part.name)
    if not coming:
        preflight.check_ports(settings, part)
    part.prepare(settings)
    supervisor.start_part(settings, part.name)


def _wait(settings: Settings, parts: Sequence[Part]) -> None:
    began = last_said = time.monotonic()
    waiting = [part for part in parts if not part.probe(settings)]
    while waiting:
        states = supervisor.states(settings)
        waited = time.monotonic() - began
        for part in waiting:
            _give_up_if_hopeless(settings, part, states, waited)
        well = [part for part in waiting if part.probe(settings)]
        for part in well:
            log.info("%s is up after %.0f s", part.name, waited)
            waiting.remove(part)
        if waiting and time.monotonic() - last_said > _SAY_SECONDS:
            last_said = time.monotonic()
            names = ", ".join(part.name for part in waiting)
            log.info("  waiting for %s (%.0f s)", names, waited)
        time.sleep(0.1)


def _give_up_if_hopeless(
    settings: Settings, part: Part, states: dict[str, str], waited: float
) -> None:
    fatal = [name for name in part.programs if states.get(name) == "FATAL"]
    if fatal or waited > part.timeout_seconds:
        raise ServiceUnavailable(_complaint(settings, part, fatal, waited))


def _complaint(settings: Settings, part: Part, fatal: Sequence[str], waited: float) -> str:
    if part.elsewhere(settings):
        return (
            f"{part.name} does not answer after {waited:.0f} s; it is not ours to start: look "
            f"after it, or see whether MILLRACE_{part.address.upper()} names the right address"
        )
    name = fatal[0] if fatal else part.programs[0]
    path = settings.logs / f"{name}.log"
    tail = path.read_text(errors="replace").splitlines()[-12:] if path.exists() else []
    what = (
        f"{name} ends again and again" if fatal else f"{part.name} is not up after {waited:.0f} s"
    )
    return "\n".join([f"{what}; the end of {path}:", *(f"    {line}" for line in tail)])


def _health(settings: Settings, part: Part, states: dict[str, str]) -> Health:
    if not part.elsewhere(settings) and not states:
        return "down"
    if part.probe(settings):
        return "up"
    return "starting" if any(states.get(name) in _COMING for name in part.programs) else "down"


def _session(settings: Settings) -> int | None:
    """The supervisor's, also after its end; None when a restart left nothing but a stale file."""
    from pipelines.services import processes

    with suppress(OSError, ValueError):
        pid = int(supervisor.pid_file(settings).read_text())
        return None if processes.is_foreign(pid, settings.home) else pid
    return None


def _wait_for_end(pid: int | None, deadline: float) -> None:
    # It has ended, too, when its id is another user's.
    with suppress(ProcessLookupError, PermissionError):
        while pid and time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One starter at a time; a second one waits, and then finds everything up."""
    settings.home.mkdir(parents=True, exist_ok=True)
    _link_short(settings)
    with (settings.home / ".starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _link_short(settings: Settings) -> None:
    link = settings.sockets_home
    if link == settings.home:
        return
    with suppress(FileExistsError):
        link.symlink_to(settings.home)
    if link.lstat().st_uid != os.geteuid() or link.readlink() != settings.home:
        raise ServiceUnavailable(
            f"{link} belongs to somebody else, and {settings.home} is too long for a Unix socket: "
            "set MILLRACE_HOME to a shorter path"
        )
