"""Packed rows in Redis: a hash a view, an entity a field, so that a row is written whole."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipelines.core.errors import ServiceUnavailable
from pipelines.stores.online_rows import FORMAT, Found, Row

# A script holds up every other client while it runs: 1,000 rows are about 2 ms.
_ROWS_A_SCRIPT = 1_000
_SCRIPTS_A_TRIP = 20
_ROWS_AT_ONCE = 10_000
_NEVER = -(2**63)
_INSTANT_BYTES = 8

# An instant is compared in two halves: a number of Lua's is exact up to 2^53 only.
_LATER = """
    local function is_later(a, b)
        local a_high, a_low = struct.unpack('>I4I4', a)
        local b_high, b_low = struct.unpack('>I4I4', b)
        return a_high > b_high or (a_high == b_high and a_low > b_low)
    end
"""
# What is there gives way to what is not older; if it is not later than ARGV[1], to anything.
_PUT = f"""{_LATER}
    for i = 2, #ARGV, 2 do
        local there, new = redis.call('HGET', KEYS[1], ARGV[i]), ARGV[i + 1]
        if not there or (there ~= new and not (is_later(there, new) and is_later(there, ARGV[1])))
        then
            redis.call('HSET', KEYS[1], ARGV[i], new)
        end
    end
"""
_REMOVE = f"""{_LATER}
    for i = 2, #ARGV do
        local there = redis.call('HGET', KEYS[1], ARGV[i])
        if there and not is_later(there, ARGV[1]) then
            redis.call('HDEL', KEYS[1], ARGV[i])
        end
    end
"""


class RedisRows:
    """Rows of one project in a Redis, which others may use for other things.

    Args:
        address: `host:port`, then `,option=value` as Feast writes them; never print it.
        timeout_seconds: how long an answer may take.
    """

    def __init__(self, address: str, project: str, timeout_seconds: float = 30) -> None:
        """Nothing is asked yet."""
        self._client = client(address, timeout_seconds)
        self._put = self._client.register_script(_PUT)
        self._remove = self._client.register_script(_REMOVE)
        self._project, self._prefix = project, f"millrace:{project}"
        # An earlier version noted a bare number.
        self._format = f"packed {FORMAT}".encode()

    def prepare(self, views: Sequence[str]) -> None:  # noqa: ARG002  # its first row makes a hash
        """Note that what is there is of this format; what is of an earlier one is removed."""
        if self.is_ready():
            return
        with self._answering():
            for key in self._client.scan_iter(f"*{self._project}", count=_ROWS_AT_ONCE):
                if _is_of_feast(key, self._project.encode()):
                    self._client.unlink(key)
            self._client.set(self._prepared, self._format)

    def is_ready(self) -> bool:
        """Whether it was prepared since it was last emptied, for this format."""
        with self._answering():
            return bool(self._client.get(self._prepared) == self._format)

    def drop(self, view: str) -> None:
        """Forget a view."""
        with self._answering():
            self._client.unlink(self._hash(view))
            self._client.hdel(self._marks, view)

    def read(self, asked: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """Of each view the rows of some entities: one trip, in which no writer comes between."""
        with self._answering(), self._client.pipeline(transaction=True) as trip:
            for view, entities in asked:
                if entities:
                    trip.hmget(self._hash(view), list(entities))
            answers = iter(trip.execute())
        return [[_found(each) for each in next(answers)] if names else [] for _, names in asked]

    def put(self, view: str, rows: Sequence[Row], outdated: int | None = None) -> None:
        """Write those rows that differ, but over no newer one that is not outdated."""
        limit = _packed(_NEVER if outdated is None else outdated)
        flat = [part for entity, at, row in rows for part in (entity, _packed(at) + row)]
        self._send(self._put, view, flat, 2 * _ROWS_A_SCRIPT, limit)

    def entities(self, view: str) -> Iterator[Sequence[bytes]]:
        """All entities of a view, some at a time."""
        cursor = None
        while cursor != 0:
            with self._answering():
                cursor, found = self._client.hscan(
                    self._hash(view), cursor or 0, count=_ROWS_AT_ONCE
                )
            yield list(found)

    def remove(self, view: str, entities: Sequence[bytes], outdated: int) -> None:
        """Forget entities whose states are not newer than an instant."""
        self._send(self._remove, view, entities, _ROWS_A_SCRIPT, _packed(outdated))

    def mark(self, view: str) -> int | None:
        """The instant as of which a view was filled."""
        with self._answering():
            found = self._client.hget(self._marks, view)
        return int(found) if found else None

    def note_mark(self, view: str, until: int) -> None:
        """Note it."""
        with self._answering():
            self._client.hset(self._marks, view, str(until))

    def layout(self, digest: bytes) -> str | None:
        """The text of a layout by its digest."""
        with self._answering():
            found = self._client.hget(self._layouts, digest)
        return found.decode() if found else None

    def note_layout(self, digest: bytes, text: str) -> None:
        """Keep a layout."""
        with self._answering():
            self._client.hset(self._layouts, digest, text)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _send(
        self, script: Any, view: str, parts: Sequence[bytes], size: int, limit: bytes
    ) -> None:
        pieces = [parts[first : first + size] for first in range(0, len(parts), size)]
        for first in range(0, len(pieces), _SCRIPTS_A_TRIP):
            with self._answering(), self._client.pipeline(transaction=False) as trip:
                for piece in pieces[first : first + _SCRIPTS_A_TRIP]:
                    script(keys=[self._hash(view)], args=[limit, *piece], client=trip)
                trip.execute()

    @property
    def _prepared(self) -> str:
        return f"{self._prefix}:prepared"

    @property
    def _marks(self) -> str:
        return f"{self._prefix}:marks"

    @property
    def _layouts(self) -> str:
        return f"{self._prefix}:layouts"

    def _hash(self, view: str) -> str:
        return f"{self._prefix}:view:{view}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raises ServiceUnavailable where Redis does not answer, or not in time."""
        from redis.exceptions import ConnectionError as Away
        from redis.exceptions import TimeoutError as Late

        try:
            yield
        except (Away, Late) as error:
            raise ServiceUnavailable(
                f"the online store, Redis, does not answer ({type(error).__name__}): start it, or "
                "see MILLRACE_REDIS"
            ) from error


def client(address: str, timeout_seconds: float = 30) -> Any:
    """A client of Redis, `redis.Redis`, by its address as Feast writes it; close it."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    place, *options = address.split(",")
    host, _, port = place.partition(":")
    given = dict(option.split("=", 1) for option in options)
    return Redis(
        host=host,
        port=int(port or 6379),
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        # Once, since a server that was started again has closed the connection.
        retry=Retry(NoBackoff(), 1),
        **{name: _value(name, value) for name, value in given.items()},
    )


def _value(option: str, text: str) -> Any:
    """`ssl=true` and `db=1` are no texts; a password of digits is one."""
    try:
        return text if option in ("username", "password") else json.loads(text)
    except json.JSONDecodeError:
        return text


def _packed(at: int) -> bytes:
    """An instant whose bytes are in its order."""
    return (at - _NEVER).to_bytes(_INSTANT_BYTES, "big")


def _found(value: bytes | None) -> Found:
    if value is None:
        return None
    return int.from_bytes(value[:_INSTANT_BYTES], "big") + _NEVER, value[_INSTANT_BYTES:]


def _is_of_feast(key: bytes, project: bytes) -> bool:
    """Whether a key is an entity of a project as Feast's own store writes it."""
    from feast.infra.key_encoding_utils import deserialize_entity_key

    try:
        return bool(deserialize_entity_key(key.removesuffix(project)).join_keys)
    except (ValueError, UnicodeDecodeError):
        return False
