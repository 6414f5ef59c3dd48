"""A case that `millrace new` wrote, proposed anew from its source, or taken away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as changed
from difflib import unified_diff
from pathlib import Path
from typing import Any

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.scaffold.new import Made, masked, proposed, whole
from pipelines.scaffold.record import Record, path_of, read
from pipelines.scaffold.shown import summary
from pipelines.scaffold.write import replace


def propose(
    name: str,
    location: str,
    changes: Mapping[str, Any],
    into: Path,
    *,
    is_written: bool,
    all_: bool,
) -> Made:
    """What its source says now, as a diff of the files that are there.

    Args:
        location: where the source is; empty: where it was.
        changes: of what was asked.
        is_written: the files are written, those that somebody edited only with `all_`.

    Raises:
        UsageError: `millrace new` wrote no such case, or nothing can be proposed any more.
        MillraceError: the case would not work; nothing was written.
    """
    record, settings = read(name, into), Settings()
    moved = {"location": masked(location)} if location else {}
    ask = changed(record.ask, **{**changes, **moved})
    proposal = proposed(ask, location or ask.location, settings)
    # By the day of the first proposal, which its texts name, so that a day alone is no change.
    texts = whole(proposal, record.proposed_on, into)
    edited = record.edited(into)
    is_same = texts[path_of(name)] == record.text
    if is_same and not (is_written and all_):
        also = f"; you edited {', '.join(edited)}" if edited else ""
        return Made(f"{name}: its source says what it said on {record.proposed_on}{also}", ())
    if not is_same:
        texts = whole(proposal, settings.clock().date(), into)
    report = [summary(proposal), "", "".join(_differences(record, texts, into)).rstrip("\n")]
    if not is_written:
        return Made("\n".join([*report, _how(name, edited)]), ())
    return _written(record, texts, report, [] if all_ else edited, into)


def _written(
    record: Record, texts: Mapping[str, str], report: list[str], edited: Sequence[str], into: Path
) -> Made:
    """The files are there, those edited left as they are."""
    new = {path: text for path, text in texts.items() if path not in edited}
    gone = [path for path in record.written if path not in texts and path not in edited]
    replace(new, gone, into)
    report += [f"  wrote   {path}" for path in new]
    report += [
        f"  left    {path}, which you edited: take from the diff what you want" for path in edited
    ]
    return Made("\n".join(report), list(new))


def _differences(record: Record, texts: Mapping[str, str], into: Path) -> Iterator[str]:
    """Of every file but the record."""
    for path in dict.fromkeys([*record.written, *texts]):
        if path == path_of(record.ask.name):
            continue
        there = (into / path).read_text(encoding="utf-8") if (into / path).exists() else ""
        yield from unified_diff(
            there.splitlines(keepends=True),
            texts.get(path, "").splitlines(keepends=True),
            path,
            f"{path} (proposed)",
        )


def _how(name: str, edited: Sequence[str]) -> str:
    kept = f"; {', '.join(edited)}, which you edited, only with --yes" if edited else ""
    return f"Nothing was written; `millrace new {name} --again --write` does{kept}"


def remove(name: str, into: Path, *, all_: bool) -> Made:
    """Take away the files that `millrace new` wrote; those that somebody edited only with `all_`.

    Raises:
        UsageError: it wrote no such case, or some were edited: then all stay.
    """
    record = read(name, into)
    edited = record.edited(into)
    if edited and not all_:
        raise UsageError(
            f"{', '.join(edited)} {'was' if len(edited) == 1 else 'were'} edited since they were "
            "written, so nothing was removed: --yes removes them, too"
        )
    paths = [path for path in (*record.written, path_of(name)) if (into / path).exists()]
    replace({}, paths, into)
    kept = (
        "What it has in the home stays: landing, tables, models, journal. `millrace clean` removes "
        "all local state, of every case"
    )
    return Made("\n".join([*(f"  removed {path}" for path in paths), kept]), paths)
