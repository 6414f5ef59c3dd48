"""Random views and their states, what must be online of them, and what Feast's client says is.

A state is kept by its entity and instant; `Table.newest` looks at all of them, one by one.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any, TypeAlias

import pyarrow as pa
from deltalake import write_deltalake

START = datetime(2026, 3, 29, tzinfo=UTC)  # clocks change in Europe on this day
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
INSTANT = pa.timestamp("us", "UTC")
# Written together without a separator, some pairs of these read alike.
TEXTS = ["", "1", "11", "1,1", ",", "None", "nan", "é", "日本", "a\x00b", "'; drop table x --"]
WHOLE = [0, 1, -1, 11, 2**31 - 1, -(2**31)]
BIG = [*WHOLE, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
INSTANTS = [START, START + MICROSECOND, START - MICROSECOND, datetime(1901, 1, 1, tzinfo=UTC)]
NUMBERS = [0.0, -0.0, 0.1, nan, inf, -inf, 1e308, 5e-324]
# By the name that Feast has for the type: in Arrow, and what it may be.
KINDS: Mapping[str, tuple[pa.DataType, Sequence[Any]]] = {
    "String": (pa.string(), TEXTS),
    "Bool": (pa.bool_(), [True, False]),
    "Int32": (pa.int32(), WHOLE),
    "Int64": (pa.int64(), BIG),
    "Float64": (pa.float64(), NUMBERS),
    "UnixTimestamp": (INSTANT, INSTANTS),
}
KEYS = ("String", "Int32", "Int64", "UnixTimestamp")
Entity: TypeAlias = tuple[Any, ...]
State: TypeAlias = dict[str, Any]


def value(rng: random.Random, kind: str) -> Any:
    """Now and then null; of a list also some of its items."""
    if rng.random() < 0.2:
        return None
    if kind.startswith("Array"):
        item = kind.removeprefix("Array(").removesuffix(")")
        return [value(rng, item) for _ in range(rng.randrange(4))]
    return rng.choice(KINDS[kind][1])


def arrow(kind: str) -> pa.DataType:
    if kind.startswith("Array"):
        return pa.list_(arrow(kind.removeprefix("Array(").removesuffix(")")))
    return KINDS[kind][0]


@dataclass
class Table:
    """A view, and the table that it is of.

    Args:
        keys: kinds by name; so are the features.
        states: by entity and instant.
    """

    name: str
    keys: dict[str, str]
    features: dict[str, str]
    ttl: timedelta
    states: dict[tuple[Entity, datetime], State] = field(default_factory=dict)
    entities: dict[Entity, None] = field(default_factory=dict)  # in the order of their drawing

    @staticmethod
    def drawn(rng: random.Random, number: int) -> "Table":
        every = [*KINDS, "Array(String)", "Array(Float64)"]
        keys = {f"k{n}": rng.choice(KEYS) for n in range(rng.choice([0, 1, 1, 2, 3]))}
        # The same key column is of one type in all views.
        keys = {f"{name}_{kind}": kind for name, kind in keys.items()}
        features = {f"f{n}": rng.choice(every) for n in range(rng.randint(1, 6))}
        ttl = rng.choice([HOUR, 6 * HOUR, 30 * HOUR])
        return Table(f"states_{number}", keys, features, ttl)

    def fill(self, rng: random.Random, start: datetime, end: datetime, num_states: int) -> None:
        """Remove what there is of (start, end], then draw it anew; some instants are the end."""
        for key in [key for key in self.states if start < key[1] <= end]:
            del self.states[key]
        for _ in range(num_states):
            micros = rng.choice([0, (end - start) // MICROSECOND // 2, rng.randrange(10**6)])
            entity = tuple(value(rng, kind) for kind in self.keys.values())
            self.entities[entity] = None
            state = {name: value(rng, kind) for name, kind in self.features.items()}
            self.states[entity, end - micros * MICROSECOND] = state

    def write(self, folder: str) -> None:
        """As a new version of the Delta table."""
        rows = [
            {**dict(zip(self.keys, entity, strict=True)), **state, "known_at": at}
            for (entity, at), state in self.states.items()
        ]
        columns = {**self.keys, **self.features, "known_at": "UnixTimestamp"}
        schema = pa.schema([(name, arrow(kind)) for name, kind in columns.items()])
        table = pa.Table.from_pylist(rows, schema)
        place = f"{folder}/gold.db/{self.name}"
        write_deltalake(place, table, mode="overwrite", schema_mode="overwrite")

    def newest(self, entity: Entity, until: datetime) -> tuple[datetime, State] | None:
        """The newest state of an entity by an instant, by looking at all of them."""
        found = [
            (at, state) for (who, at), state in self.states.items() if who == entity and at <= until
        ]
        return max(found, key=lambda each: each[0]) if found and None not in entity else None

    def expected(self, entity: Entity, until: datetime, at: datetime) -> State:
        """What a reader must see as of `at` of what is online as of `until`."""
        found = self.newest(entity, until)
        if found is None or not at - self.ttl <= found[0] <= at:
            return dict.fromkeys(["known_at", *self.features])
        return {"known_at": found[0], **{name: found[1].get(name) for name in self.features}}

    def moments(self, rng: random.Random, until: datetime) -> Iterator[datetime]:
        """Instants to ask as of: the mark, later ones, and the end of some state's TTL."""
        yield until
        yield until + HOUR * rng.random() * 30
        ends = [at + self.ttl for _, at in self.states if at + self.ttl >= until]
        for end in rng.sample(ends, min(2, len(ends))):
            yield end
            yield end + MICROSECOND

    def definition(self) -> list[Any]:
        """The Feast objects: the entities, and the view."""
        from feast import Entity as Key
        from feast import FeatureView, Field, types

        from pipelines.stores.feast_source import PublishedTable

        every = {kind: getattr(types, kind) for kind in KINDS}
        every |= {f"Array({kind})": types.Array(item) for kind, item in every.items()}
        kinds = {name: every[kind] for name, kind in {**self.keys, **self.features}.items()}
        keys = [Key(name=name, value_type=kinds[name].to_value_type()) for name in self.keys]
        view = FeatureView(
            name=self.name,
            entities=keys,
            ttl=self.ttl,
            schema=[Field(name=name, dtype=kind) for name, kind in kinds.items()],
            source=PublishedTable(name=f"gold.{self.name}", timestamp_field="known_at"),
        )
        return [*keys, view]


def by_feast(store: Any, table: Table, entities: Sequence[Entity], at: datetime) -> list[State]:
    """What Feast's own client says, made null where the state's TTL, which it ignores, is over."""
    view = store.get_feature_view(table.name)
    answer = store.get_online_features(
        features=[f"{table.name}:{name}" for name in table.features],
        entity_rows=[dict(zip(table.keys, entity, strict=True)) for entity in entities],
    )
    said = answer.to_dict()
    proto = answer.proto
    place = list(proto.metadata.feature_names.val).index(next(iter(table.features)))
    # Feast's `to_dict` has whole seconds only.
    stamps = [each.ToNanoseconds() // 1000 for each in proto.results[place].event_timestamps]
    instants = [datetime.fromtimestamp(0, UTC) + each * MICROSECOND for each in stamps]
    fresh = [at - view.ttl <= instant <= at for instant in instants]
    columns = {"known_at": instants, **{name: said[name] for name in table.features}}
    return [
        {name: values[n] if fresh[n] else None for name, values in columns.items()}
        for n in range(len(fresh))
    ]


def as_feast(table: Table, state: State) -> State:
    """A state as Feast's protobufs can have it: whole seconds, no null inside a list."""
    return {
        name: found if name == "known_at" else _as_feast(found, table.features[name])
        for name, found in state.items()
    }


def _as_feast(found: Any, kind: str) -> Any:
    if isinstance(found, list):
        nothing = "" if kind == "Array(String)" else nan
        return [nothing if each is None else each for each in found]
    return found.replace(microsecond=0) if isinstance(found, datetime) else found


def same(one: Any, other: Any) -> bool:
    """To the last bit: -0.0 is not 0.0, NaN is NaN, 1 is not True."""
    return repr(one) == repr(other)
