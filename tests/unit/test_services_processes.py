"""Whose processes a stop ends: ours, and not those that were given a dead supervisor's id."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from pipelines import services
from pipelines.core.settings import Settings
from pipelines.services import processes, supervisor


@pytest.fixture
def settings(tmp_path):
    made = Settings(home=tmp_path / "home")
    supervisor.pid_file(made).parent.mkdir(parents=True)
    return made


@contextmanager
def _process(settings: Settings, environment: dict[str, str]) -> Iterator[psutil.Popen]:
    """A process in a session of its own, whose id is in the supervisor's file."""
    sleep = ["/bin/sleep", "60"]
    with psutil.Popen(sleep, env=environment, start_new_session=True) as started:
        supervisor.pid_file(settings).write_text(f"{started.pid}\n")
        while (
            started.cmdline() != sleep
        ):  # Until the kernel has placed both, it has no environment.
            time.sleep(0.001)
        try:
            yield started
        finally:
            with suppress(psutil.NoSuchProcess):
                started.kill()


@pytest.mark.parametrize("environment", [{}, {supervisor.MARK: "/another/home"}])
def test_a_stranger_with_a_dead_supervisors_id_is_neither_waited_for_nor_ended(
    settings, environment
):
    with _process(settings, environment) as stranger:
        began = time.monotonic()
        services.stop(settings)
        assert time.monotonic() - began < 10
        assert stranger.is_running()
        assert stranger.status() != psutil.STATUS_ZOMBIE
    assert not supervisor.pid_file(settings).exists()


def test_a_stranger_whom_we_may_not_ask_is_a_stranger(settings, monkeypatch):
    def _refuse(_):
        raise psutil.AccessDenied

    with _process(settings, {}) as stranger:
        monkeypatch.setattr(psutil.Process, "environ", _refuse)
        assert processes.is_foreign(stranger.pid, settings.home)
        assert processes.of_home(settings.home, stranger.pid) == []


def test_what_carries_our_mark_is_ours(settings):
    with _process(settings, {supervisor.MARK: str(settings.home)}) as ours:
        assert not processes.is_foreign(ours.pid, settings.home)
        assert processes.end_all(settings.home, ours.pid) == [ours.pid]


def test_the_session_of_a_supervisor_that_was_killed_is_ours(settings):
    # The leader is gone; what it started has overwritten its environment, as PostgreSQL does.
    leader = ["/bin/sh", "-c", "/bin/sleep 60 >/dev/null & echo $!"]
    with subprocess.Popen(
        leader, env={}, start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        left = int(killed.stdout.readline())
    assert not processes.is_foreign(killed.pid, settings.home)
    assert processes.end_all(settings.home, killed.pid) == [left]
