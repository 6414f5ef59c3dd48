"""One prediction: its printable identity, and the row that was said.

The identity is `ROW_KEY@DECIDED_AT@vVERSION`, such as
`2026-11-20_UA_1545_EWR@2026-11-21T00:00:00Z@v1`: exactly the key of the predictions table, so it
never changes and never means two rows. Several key columns are joined by commas; what is not plain
in a value is percent-encoded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Self
from urllib.parse import quote, unquote

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.core.errors import CheckFailed, UsageError
from pipelines.core.settings import Settings
from pipelines.insight.lineage.history import History, Publication
from pipelines.stores import lake
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

NEWEST = "newest"

_ID = re.compile(r"(?P<key>[^@]+)@(?P<at>[^@]+)@v(?P<version>\d+)", re.ASCII)


# Columns of every predictions table that are neither key, answer nor input.
_OF_THE_PREDICTION = ("decided_at", "model_version", "predicted_at", "decided_date")


@dataclass(frozen=True)
class PredictionId:
    """The key of one prediction.

    Raises:
        UsageError: `parse` refuses what is no identity.

    Example:
        >>> text = "2026-11-20_UA_1545_EWR@2026-11-21T00:00:00Z@v1"
        >>> str(PredictionId.parse(text)) == text
        True
    """

    key: tuple[str, ...]
    decided_at: datetime
    model_version: int

    def __str__(self) -> str:
        at = self.decided_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return f"{key_in_words(self.key)}@{at}@v{self.model_version}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a printed identity."""
        match = _ID.fullmatch(text)
        try:
            at = datetime.fromisoformat(match["at"]) if match else None
        except ValueError:
            at = None
        if match is None or at is None or at.tzinfo is None:
            raise UsageError(
                f"prediction {text!r} is not ROW_KEY@DECIDED_AT@vVERSION, such as "
                f"2026-11-20_UA_1545_EWR@2026-11-21T00:00:00Z@v1; --prediction {NEWEST} shows one"
            )
        key = tuple(unquote(value) for value in match["key"].split(","))
        return cls(key, at, int(match["version"]))


def key_in_words(values: Iterable[Any]) -> str:
    """The values of some columns as one text, which no other values have.

    Example:
        >>> key_in_words(["EWR", "a,b"])
        'EWR,a%2Cb'
    """
    return ",".join(quote(str(value), safe="") for value in values)


@dataclass(frozen=True)
class Prediction:
    """What was said, by which model, when, and given which inputs.

    Args:
        answer: the fields of its task.
    """

    model: Model
    id: PredictionId
    answer: Mapping[str, Any]
    predicted_at: datetime
    inputs: Mapping[str, Any]


def find(
    settings: Settings, history: History, case: UseCase, model: Model, asked: str
) -> Prediction:
    """The published prediction of that identity, or the newest one.

    Raises:
        UsageError: there is none of that identity; the message has the nearest of that day.
        CheckFailed: nothing was predicted yet.
    """
    table = case.table("gold", model.predictions)
    published = [each for each in history.publications if each.table == table]
    if not published:
        raise CheckFailed(f"{case.name}.{model.name} has published no predictions yet")
    if asked == NEWEST:
        return _newest(settings, case, model, published)
    wanted = PredictionId.parse(asked)
    if len(wanted.key) != len(model.row_key):
        raise UsageError(f"{asked!r}: the row key of {case.name} is {model.row_key}")
    rows = _rows(settings, case, model, published[-1], wanted.decided_at)
    places = {each: place for place, each in enumerate(_ids(model, rows))}
    if wanted not in places:
        near = get_close_matches(asked, [str(each) for each in places], n=3, cutoff=0)
        some = ", ".join(near) or f"--prediction {NEWEST}"
        raise UsageError(f"{case.name} has no prediction {asked}; there is {some}")
    return _prediction(model, rows, places[wanted])


def _newest(
    settings: Settings, case: UseCase, model: Model, published: Sequence[Publication]
) -> Prediction:
    """Of the latest interval's answers the last one said, decided and in order of keys.

    What was published last may be of an old interval, predicted again.
    """
    latest = max((Interval.parse(each.interval) for each in published), key=lambda each: each.end)
    rows = _rows(settings, case, model, published[-1], latest.end)
    if not rows.num_rows:
        raise CheckFailed(f"{published[-1].table} has no rows of {latest}")
    said = zip(rows["predicted_at"].to_pylist(), _ids(model, rows), strict=True)
    order = [(at, each.decided_at, each.key) for at, each in said]
    return _prediction(model, rows, order.index(max(order)))


def _rows(
    settings: Settings,
    case: UseCase,
    model: Model,
    published: Publication,
    decided_at: datetime,
) -> pa.Table:
    """The answers to one day's decisions; a decision at midnight lies in the day that ends then."""
    day: date = (decided_at.astimezone(UTC) - timedelta(microseconds=1)).date()
    name = case.build_table("gold", model.predictions)
    every = lake.of(settings).table(name, published.version).to_pyarrow_dataset()
    return every.to_table(filter=pc.field("decided_date") == pa.scalar(day))


def _ids(model: Model, rows: pa.Table) -> list[PredictionId]:
    named = rows.select([*model.row_key, "decided_at", "model_version"])
    return [identity(model, row) for row in named.to_pylist()]


def answer_columns(columns: Sequence[str]) -> Sequence[str]:
    """The fields of an answer, which predict writes between the version and the time.

    Example:
        >>> answer_columns(["id", "decided_at", "model_version", "yes", "predicted_at", "x"])
        ['yes']
    """
    return columns[columns.index("model_version") + 1 : columns.index("predicted_at")]


def _prediction(model: Model, rows: pa.Table, place: int) -> Prediction:
    (row,) = rows.slice(place, 1).to_pylist(maps_as_pydicts="strict")
    answer = {name: row[name] for name in answer_columns(rows.column_names)}
    known = {*model.row_key, *answer, *_OF_THE_PREDICTION}
    inputs = {name: value for name, value in row.items() if name not in known}
    return Prediction(model, identity(model, row), answer, row["predicted_at"], inputs)


def identity(model: Model, row: Mapping[str, Any]) -> PredictionId:
    """That of a row of the predictions table."""
    key = tuple(str(row[name]) for name in model.row_key)
    return PredictionId(key, row["decided_at"], int(row["model_version"]))
