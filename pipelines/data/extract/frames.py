"""A frame of rows as the landing file of a feed: its columns in order, instants in UTC with a Z."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipelines.core.errors import BatchRefused
from pipelines.core.source import SourceFile
from pipelines.use_cases.spec.use_case import Column, Feed


def frame_file(feed: Feed, rows: pd.DataFrame) -> SourceFile:
    """The file that holds these rows, in the feed's format; other columns are left out.

    Raises:
        BatchRefused: the frame lacks a column that the feed promises.
    """
    missing = [c.name for c in feed.columns if not c.optional and c.name not in rows]
    if missing:
        raise BatchRefused(
            f"the source gives {feed.name} without {', '.join(missing)}; "
            "add it there, or make the Column optional"
        )
    return SourceFile(f"{feed.name}.{feed.format}", partial(_write, feed, rows))


def _write(feed: Feed, rows: pd.DataFrame, path: Path) -> int:
    texts = pd.DataFrame({c.name: _text(c, rows[c.name]) for c in feed.columns if c.name in rows})
    if feed.format == "csv":
        texts.to_csv(path, index=False, na_rep=feed.null_token)
    else:
        lines = texts.to_json(orient="records", lines=True, force_ascii=False)
        # No rows would be one empty line.
        path.write_text(lines if len(texts) else "", encoding="utf-8")
    return len(texts)


def _text(column: Column, values: "pd.Series[Any]") -> "pd.Series[Any]":
    if column.type not in ("date", "timestamp"):
        return values
    # `cache` looks for repeated values one by one.
    instants = pd.to_datetime(values, utc=True, cache=False).dt.tz_localize(None)
    # Ten times as fast as strftime, which would take most of the time of a range of days.
    array = instants.to_numpy(dtype="datetime64[us]")
    if column.type == "date":
        text = np.datetime_as_string(array, unit="D")
    else:
        text = np.datetime_as_string(array, unit=_unit(array), timezone="UTC")
    texts: pd.Series[Any] = pd.Series(text.astype(object), values.index)
    return texts.where(instants.notna())


def _unit(instants: "np.ndarray[Any, np.dtype[np.datetime64]]") -> Literal["s", "us"]:
    """Whole seconds where they all are."""
    whole = instants.astype("datetime64[s]")
    return "s" if ((whole == instants) | np.isnat(instants)).all() else "us"
