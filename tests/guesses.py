"""Guesses of columns written as plain lists, and what is read by them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.values import converted

Texts = Sequence[str | None]


def guess_all(
    columns: Mapping[str, Texts], said: Said | None = None, **roles: Any
) -> Mapping[str, Guess]:
    arrow = {name: pa.chunked_array([list(texts)], pa.string()) for name, texts in columns.items()}
    return guessed(arrow, said or Said(), **roles)


def guess(texts: Texts, said: Said | None = None, *, is_time: bool = False) -> Guess:
    return guess_all({"x": texts}, said, times=["x"] if is_time else [])["x"]


def read(texts: Texts, found: Guess) -> list[Any]:
    assert found.asks is None
    values: list[Any] = converted(
        pa.chunked_array([list(texts)], pa.string()), found.kind, found.notation
    ).values.to_pylist()
    return values
