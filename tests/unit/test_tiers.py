"""Which tests run where, and that no tier is left out in silence."""

import subprocess
from types import SimpleNamespace

import pytest

from tests import debian_servers, tiers


@pytest.fixture
def called(monkeypatch):
    """The calls of pytest, by the folder or file they begin with; `failing` ends with 1."""
    calls = []

    def run(command, env=None, **_):
        if command[:2] == ["docker", "info"]:
            return SimpleNamespace(returncode=1)
        calls.append((command[-1], (env or {}).get(debian_servers.WHOSE)))
        return SimpleNamespace(returncode=int(command[-1] == "tests/chain"))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(tiers.shutil, "which", lambda _: None)
    monkeypatch.delenv(debian_servers.WHOSE, raising=False)
    return calls


def main(monkeypatch, *names):
    monkeypatch.setattr(tiers.sys, "argv", ["tiers", *names])
    return tiers.main()


def test_every_folder_of_tests_is_in_a_tier():
    folders = {path.parent for path in (tiers.ROOT / "tests").rglob("test_*.py")}
    claimed = [tiers.ROOT / path for tier in tiers.TIERS.values() for path in tier.paths]
    assert [f for f in folders if not any(f == c or c in f.parents for c in claimed)] == []


def test_with_debians_servers_no_test_of_servers_runs_twice(called, monkeypatch, capsys):
    monkeypatch.setattr(debian_servers, "missing", list)
    assert main(monkeypatch, "all") == 1
    assert [server for path, server in called if path == "tests/servers"] == ["debian"]
    assert (tiers._EMBEDDED.paths[-1], None) in called
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[-1 - len(tiers.TIERS) :]] == [
        *tiers.TIERS,
        "together",
    ]
    assert "chain" in next(line for line in said.splitlines() if line.endswith("FAILED"))


def test_without_them_the_tier_is_left_out_and_says_why(called, monkeypatch, capsys):
    monkeypatch.setattr(debian_servers, "missing", lambda: ["redis-server"])
    main(monkeypatch, "all")
    assert [server for path, server in called if path == "tests/servers"] == [None]
    said = capsys.readouterr().out
    assert "left out: no redis-server: apt-get install postgresql-15 redis-server" in said
    assert "left out: there is no Docker" in said


def test_a_tier_that_would_not_end_in_time_is_not_begun(called, monkeypatch, capsys):
    monkeypatch.setenv("MILLRACE_TEST_MINUTES", "5")
    assert main(monkeypatch, "fast", "platform") == 0
    assert [path for path, _ in called] == [tiers.TIERS["fast"].paths[-1]]
    assert "left out: 5 minutes are left" in capsys.readouterr().out
