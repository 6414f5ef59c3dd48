"""Unit tests see the default settings, whatever the developer's shell says."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.stores.online_redis import RedisRows, client
from pipelines.stores.online_sqlite import SqliteRows
from tests import debian_servers


@pytest.fixture(autouse=True)
def _no_settings_of_the_developers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("MILLRACE_") and not name.startswith("MILLRACE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def redis_address() -> Iterator[str]:
    """Of Debian's Redis, as Feast writes addresses."""
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server: apt-get install redis-server")
    with debian_servers.redis() as address:
        yield address


@pytest.fixture(params=["sqlite", "redis"])
def online(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, str], type]:
    """An empty online store: its part of Feast's settings, and the class of its rows."""
    stores = "pipelines.stores.feast_online"
    if request.param == "sqlite":
        path = str(tmp_path / "online.db")
        return {"type": f"{stores}.PackedSqliteOnlineStore", "path": path}, SqliteRows
    address = request.getfixturevalue("redis_address")
    with client(address) as redis:
        redis.flushdb()
    type_ = f"{stores}.PackedRedisOnlineStore"
    return {"type": type_, "connection_string": address}, RedisRows
