"""A proposal for the eyes: a table of its columns, and what else the sample says."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice
from textwrap import fill

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from expectations.rates import rate_at_least
from pipelines.data.reading.notation import PLAIN
from pipelines.scaffold.guess import GUESSED
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.inputs import QUARANTINE_RATE_MAX, Input
from pipelines.scaffold.limits import Limits
from pipelines.scaffold.literals import number
from pipelines.scaffold.plan import num_days
from pipelines.scaffold.profile import Profile

WIDTH = 100
# So many columns are shown; of a wider table the others are in the files.
_ROWS_MAX = 200
_HEADER = ("column", "its name", "type", "role", "missing", "limits", "example")
# With the space between them no more than a line, so that none of them is squeezed.
_WIDTHS = (19, 17, 9, 12, 7, 13, 9)
# So many that are left out are shown there, and so many of one reason named below it.
_LEFT_OUT_MAX, _NAMES_MAX = 20, 5


def summary(proposal: Proposal) -> str:
    """All that is proposed, in at most 100 characters a line."""
    first = (
        f"{proposal.ask.name}: {proposal.num_rows:,} rows of {num_days(proposal)} days, "
        f"{proposal.first_day} to {proposal.last_day}; {_label(proposal)}"
    )
    said = [f"  - {line}" for line in remarks(proposal)]
    lines = [wrapped(first), wrapped(f"  task    {_task(proposal)}", 10)]
    return "\n".join([*lines, "", table(proposal), "", *(wrapped(line, 4) for line in said)])


def wrapped(line: str, indent: int = 2) -> str:
    """A line as several of 100 characters; a longer word, such as a path, stays whole."""
    return fill(
        line,
        WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(proposal: Proposal) -> str:
    """A line a column: its names, its type and role, what is missing, its limits, an example."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, width in zip(_HEADER, _WIDTHS, strict=True):
        shown.add_column(name, no_wrap=True, overflow="ellipsis", max_width=width)
    rows = list(_rows(proposal))
    for row in rows[:_ROWS_MAX]:
        shown.add_row(*(Text(_plain(cell)) for cell in row))
    console = Console(width=WIDTH, file=StringIO(), color_system=None, legacy_windows=False)
    with console.capture() as drawn:
        console.print(shown)
    lines = [line.rstrip() for line in drawn.get().splitlines() if line.strip()]
    more = [f"and {len(rows) - _ROWS_MAX:,} columns more"] if rows[_ROWS_MAX:] else []
    return "\n".join([*lines, *more])


def _plain(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)


def _rows(proposal: Proposal) -> Iterator[Sequence[str]]:
    inputs = {each.source: each for each in proposal.inputs}
    for source, profile in proposal.profiles.items():
        name, kind = proposal.shape.columns.get(source, ""), str(profile.type)
        limits = inputs[source].limits if source in inputs else None
        if source == proposal.ask.outcome:
            kind, limits = proposal.target.type, proposal.target.limits
        elif source in inputs:
            kind = inputs[source].type
        yield (
            source.strip() or "(no name)",
            name or _time_name(proposal, source),
            kind,
            _role(proposal, source, inputs.get(source)),
            f"{profile.num_missing / max(1, len(profile.texts)):.1%}"
            if profile.num_missing
            else "",
            _limits(limits),
            _example(profile),
        )
    for source, why in islice(proposal.left_out.items(), _LEFT_OUT_MAX):
        yield (source.strip() or "(no name)", "", "", "left out", "", why, "")


def _time_name(proposal: Proposal, source: str) -> str:
    ask = proposal.ask
    names = {ask.label_known_at: "label's known_at", ask.known_at: "known_at"}
    return {**names, ask.event_time: "event_at"}.get(source, "")


def _role(proposal: Proposal, source: str, found: Input | None) -> str:
    """What becomes of a column; the first that fits."""
    ask, entity = proposal.ask, proposal.entity
    times = {ask.label_known_at: "label's time", ask.known_at: "known time"}
    named = {**times, ask.event_time: "event time", ask.label: "label"}
    if proposal.picks:
        named |= {**dict(zip(ask.named, ("user", "item"), strict=True)), ask.label: "number"}
    if proposal.series:
        named |= dict.fromkeys(ask.named, "series")
    if source in ask.key and proposal.target.task in GUESSED:
        return "key and time" if source == ask.event_time else "key"
    if source in named:
        return named[source]
    if proposal.target.task not in GUESSED:
        return "kept"
    if found is None or found.num_values == 0:
        return "empty"
    if found.is_category:
        return "entity" if entity and entity.source == source else "category"
    return "input" if found.type in ("bigint", "double", "boolean") else "kept"


def _limits(found: Limits | None) -> str:
    """Both ends, or one, or why there are none.

    Example:
        >>> _limits(Limits(low=0.0, because="it rises")), _limits(None)
        ('0 or more', '')
    """
    if found is None or not found.are_any:
        return "" if found is None else found.because
    if found.high is None:
        return f"{number(found.low or 0)} or more"
    return f"{number(found.high)} or less" if found.low is None else _both(found.low, found.high)


def _both(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}"


def _example(profile: Profile) -> str:
    return max(profile.counts, key=lambda text: profile.counts[text], default="")


def remarks(proposal: Proposal) -> Sequence[str]:
    """What the table does not say, or not in full: what is left out, names, keys, days, slips."""
    unlimited = {e.source: e.limits.because for e in proposal.inputs if not e.limits.are_any}
    return [
        *_together(proposal.left_out, "left out"),
        *proposal.said,
        *_spellings(proposal),
        *_together(unlimited, "without limits"),
        *_slips(proposal),
        *_quarantined(proposal),
    ]


def _together(reasons: Mapping[str, str], what: str) -> Iterator[str]:
    """Columns of one reason in one line.

    Example:
        >>> list(_together({"a": "you say so", " ": "no name, and no value"}, "left out"))
        ['a left out: you say so', '(no name) left out: no name, and no value']
    """
    columns = defaultdict[str, list[str]](list)
    for source, why in reasons.items():
        columns[why].append(_plain(source).strip() or "(no name)")
    for why, names in columns.items():
        more = f" and {len(names) - _NAMES_MAX:,} more" if names[_NAMES_MAX:] else ""
        if why:
            yield f"{', '.join(names[:_NAMES_MAX])}{more} {what}: {why}"


def _spellings(proposal: Proposal) -> Iterator[str]:
    label = proposal.target.label
    for words, means in ((label.positive, "true"), (label.negative, "false")):
        if isinstance(words, tuple):
            yield f"{label.column}: {', '.join(map(repr, words))} are all {means}"
    for text, name in label.spellings.items():
        yield f"{label.column}: {text!r} is taken for {name!r}"
    missing = sorted(proposal.shape.notations.get(label.column, PLAIN).missing)
    if missing and proposal.target.type == "boolean":
        yield f"{label.column}: {', '.join(map(repr, missing))} is taken for not known yet"


def _slips(proposal: Proposal) -> Iterator[str]:
    for text, rows in proposal.target.slips.items():
        yield (
            f"{proposal.ask.label}: {text!r} in {rows} row{'s' if rows > 1 else ''} is none of its "
            "values: for quarantine"
        )


def _quarantined(proposal: Proposal) -> Iterator[str]:
    bad, rows = proposal.num_bad, proposal.num_rows
    if bad:
        yield f"in all {bad:,} of {rows:,} rows ({bad / rows:.1%}) would go to quarantine"
    if bad and rate_at_least(bad, rows) > QUARANTINE_RATE_MAX:
        yield (
            f"that is more than {QUARANTINE_RATE_MAX:.0%}, which stops a night: mend the source, "
            f"or raise quarantine_rate_max in pipelines/use_cases/{proposal.ask.name}.py"
        )


def _label(proposal: Proposal) -> str:
    """What the sample says of the label."""
    target, name = proposal.target, proposal.label
    known = f"known of {target.num_labelled:,}"
    if target.task == "binary":
        return f"{name} is true of {target.counts['true']:,} of {target.num_labelled:,}"
    if target.task == "ranking":
        return f"{name} is what is taken"
    if target.task == "multiclass":
        most = target.frequent[0]
        share = target.counts[most] / target.num_labelled
        return f"{name} is one of {len(target.counts)} classes, {most} in {share:.0%}, {known}"
    return f"{name} is from {target.low:g} to {target.high:g}, {known}"


def _task(proposal: Proposal) -> str:
    """The task, and if nobody said it, why and how to say another."""
    target = proposal.target
    if target.guessed is None:
        return f"{target.task}, as you say"
    return (
        f"{target.task}, guessed from {proposal.ask.label}: {target.guessed}. If that is wrong, "
        f"say --task {' or '.join(t for t in GUESSED if t != target.task)}"
    )
