"""Columns of texts as `millrace new` profiles them."""

from collections.abc import Sequence

import pyarrow as pa

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.said import Said
from pipelines.scaffold.profile import Profile


def profile(source: str, texts: Sequence[str | None], *, is_key: bool = False) -> Profile:
    """A column by itself; one of a key stays text."""
    column = pa.chunked_array([pa.array(texts, pa.string())])
    found = guessed({source: column}, Said(), texts=(source,) if is_key else ())
    return Profile(source, column, found[source])
