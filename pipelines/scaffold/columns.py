"""Which columns of a source are taken, under the names that it has for them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from pipelines.core.errors import UsageError
from pipelines.data.reading.batches import COLUMNS_MAX
from pipelines.data.reading.sniff import plain_name
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.names import refuse_repeated

# A number with a fraction or the start of a date: no name of a column.
_VALUE = re.compile(r"[-+]?[0-9]+[.,][0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")


@dataclass(frozen=True)
class Chosen:
    """The columns to read, in the source's order, and of each other one why it is left out."""

    columns: Sequence[str]
    left_out: Mapping[str, str]


def chosen(ask: Ask, headers: Sequence[str]) -> Chosen:
    """What is read of a source with these columns.

    Raises:
        UsageError: too many, or several of one name.
    """
    refuse_repeated(headers, ask.without)
    left_out = dict.fromkeys(ask.without, "you say so")
    nameless = Counter(name for name in headers if not name.strip())
    left_out |= {
        name: f"{number} columns without a name, which nothing tells apart"
        for name, number in nameless.items()
        if number > 1 and name not in left_out
    }
    if ask.only:
        others = (name for name in headers if name not in (*ask.only, *ask.needed))
        left_out |= {name: "--only has others" for name in others if name not in left_out}
    columns = [name for name in dict.fromkeys(headers) if name not in left_out]
    _refuse_many(columns)
    return Chosen(columns, left_out)


def _refuse_many(columns: Sequence[str]) -> None:
    if len(columns) > COLUMNS_MAX:
        raise UsageError(
            f"the source has {len(columns):,} columns, a case at most {COLUMNS_MAX:,}: name those "
            "to take by --only COLUMN,COLUMN, or those to leave out by --without"
        )


def found(ask: Ask, headers: Sequence[str]) -> Ask:
    """The same with each column as the source writes it: case and spaces around need not be said.

    Raises:
        UsageError: a column is missing, or asked for twice in ways that can't be.
    """
    lacking = [name for name in ask.columns if _in(name, headers) is None]
    if lacking:
        raise UsageError(_no_column(ask.location, lacking, headers))
    own = {name: _in(name, headers) or name for name in ask.columns}
    ask = replace(
        ask,
        key=tuple(own[name] for name in ask.key),
        event_time=own[ask.event_time],
        label=own.get(ask.label, ""),
        known_at=ask.known_at and own[ask.known_at],
        label_known_at=ask.label_known_at and own[ask.label_known_at],
        without=tuple(own[name] for name in ask.without),
        only=tuple(own[name] for name in ask.only),
    )
    _refuse_roles(ask)
    return ask


def _refuse_roles(ask: Ask) -> None:
    times = (ask.event_time, ask.known_at, ask.label_known_at)
    needed = [name for name in ask.without if name in ask.needed]
    if needed:
        raise UsageError(f"--without names {', '.join(needed)}, which is needed")
    if ask.label in (*ask.key, *times) or {ask.known_at, ask.label_known_at} & set(ask.key):
        raise UsageError("the label, the key and the times must be different columns")
    _refuse_task(ask)


def _refuse_task(ask: Ask) -> None:
    """What was said of one task is of no other."""
    if ask.task == "ranking" and len(ask.named) != 2:  # noqa: PLR2004
        raise UsageError(
            f"--key {', '.join(ask.named)}: a ranking needs two columns, first who took something "
            "and then what, such as --key user,item"
        )
    if ask.task in ("ranking", "forecast") and ask.label_known_at:
        raise UsageError(
            f"--label-known-at: what a {ask.task} is judged by is known with its rows; leave it "
            "out, and say by --known-at when they were published"
        )
    if ask.horizon is not None and ask.task != "forecast":
        raise UsageError("--horizon is of a forecast: say --task forecast, too, or leave it out")


def _in(name: str, headers: Sequence[str]) -> str | None:
    """The header itself, or the only one that differs by case and spaces alone."""
    if name in headers:
        return name
    alike = [each for each in headers if plain_name(each) == plain_name(name)]
    return alike[0] if len(alike) == 1 else None


def _no_column(location: str, lacking: Sequence[str], headers: Sequence[str]) -> str:
    if not headers:
        return f"{location} is empty: there is no header, and no row"
    near = get_close_matches(lacking[0], headers, n=1)
    hint = f"; is it {near[0]!r}?" if near else ""
    shown = ", ".join(headers[:50]) + (f" and {len(headers) - 50} more" if headers[50:] else "")
    if len(headers) == 1 and all(name in headers[0] for name in lacking):
        hint = "; say by --delimiter what parts its fields; of fixed width it is no CSV"
    if f"{lacking[0]}.0" in headers:
        hint = '; each column is a record, as pandas writes JSON: write it with orient="records"'
    if any(map(_VALUE.fullmatch, headers)):
        hint = "; the first line looks like a row: put a line of names above it"
    return f"{location} has no column {', '.join(lacking)}; it has {shown}{hint}"
