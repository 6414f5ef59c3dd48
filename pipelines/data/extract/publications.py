"""A batch of records as what was published, and when: the rule of `known_at`.

A row is known at its own `known_at` column if it has one, else at the instant of the event itself.
Its label is known with it, unless another column says when; then the row is published twice, first
without its label. A row whose instant can't be read, or can't be (long before the source begins, or
in the future), is published with the row before it, so that ingest quarantines it with its text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.core.errors import BatchRefused
from pipelines.data.extract.shape import Shape
from pipelines.data.reading.batches import ORIGIN
from pipelines.data.reading.digests import digests
from pipelines.data.reading.notation import PLAIN, Notation
from pipelines.data.reading.rows import DIGEST, failed_texts, typed, with_failed, with_value
from pipelines.data.reading.values import converted
from pipelines.use_cases.spec.use_case import Column

PLACED = "__placed__"
INSTANT = pa.timestamp("us", "UTC")
_NO_TEXT = pa.scalar(None, pa.string())
# A clock may be ahead, and a date without a time is of any zone.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """The rule of one source.

    Args:
        columns: of the feed.
        key: of the feed; a text of blanks alone names no row.
        now: what says to be known later than a day from it is wrong; None: nothing is.
    """

    shape: Shape
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    now: datetime | None = None

    def first_instant(self, batches: Iterable[pa.Table]) -> datetime:
        """The first instant of a source: what stands before it is placed there.

        Raises:
            BatchRefused: no row has an instant that can be read.
        """
        num_rows, sample = 0, ""
        for batch in batches:
            rows = self._typed(batch)
            for found in pc.drop_null(self._known(rows))[:1].to_pylist():
                return found  # type: ignore[no-any-return]
            num_rows += len(rows)
            texts = pc.drop_null(failed_texts(rows)["known_at"])
            sample = sample or next(iter(texts[:1].to_pylist()), "")
        if num_rows == 0:
            return self._begins() or datetime.min.replace(tzinfo=UTC)
        raise BatchRefused(
            f"column {self.shape.time_columns[0]}: no instant can be read in {num_rows} rows, such "
            f"as {sample!r}; it must be like 2026-11-20, 2026-11-20 13:45:00 or "
            "2026-11-20T13:45:00+01:00, or have its format in the source's Notation"
        )

    def published(self, batch: pa.Table, before: datetime) -> pa.Table:
        """The rows of a batch, typed, with `PLACED`, when they were published, and their `DIGEST`.

        Args:
            before: when the row before the batch was; one without an instant follows it.
        """
        rows = self._typed(batch)
        placed = self._placed(rows, before)
        if self.shape.label_known_at is None:
            return self._said(rows, placed, 0)
        rows, later = self._with_label_times(rows, batch)
        is_later = pc.fill_null(pc.greater(later, placed), False)
        first = self._without_label(rows, is_later)
        again = with_value(rows, "known_at", later).filter(is_later)
        tables = [self._said(first, placed, 0), self._said(again, later.filter(is_later), 1)]
        return pa.concat_tables(tables)

    @property
    def _label(self) -> str:
        return self.shape.columns[self.shape.label.column]

    def _typed(self, batch: pa.Table) -> pa.Table:
        sources = self.shape.sources
        held = {ours: source for ours, source in sources.items() if source in batch.column_names}
        named = {ours: batch[source] for ours, source in held.items()}
        if self._label in named:
            named[self._label] = self.shape.label.mapped(named[self._label])
        notations = {ours: self._notation(source) for ours, source in sources.items()}
        origin = {name: batch[name] for name in ORIGIN}
        rows = typed(pa.table({**named, **origin}), self.columns, notations)
        for ours in (self.shape.columns[source] for source in sorted(self.shape.whole)):
            plain = pc.replace_substring_regex(rows[ours], r"^(-?[0-9]+)\.0+$", r"\1")
            rows = with_value(rows, ours, plain)
        for name in self.key:
            if pa.types.is_string(rows.schema.field(name).type):
                is_blank = pc.equal(pc.utf8_trim_whitespace(rows[name]), "")
                rows = with_value(rows, name, pc.if_else(is_blank, _NO_TEXT, rows[name]))
        return rows

    def _notation(self, source: str) -> Notation:
        return self.shape.notations.get(source, PLAIN)

    def _known(self, rows: pa.Table) -> pa.Array:
        """The instants of publication that can be, null for the others."""
        known = rows["known_at"].combine_chunks()
        return pc.if_else(self._is_plausible(known), known, pa.scalar(None, INSTANT))

    def _placed(self, rows: pa.Table, before: datetime) -> pa.Array:
        start = pa.array([before], INSTANT)
        return pc.fill_null_forward(pa.concat_arrays([start, self._known(rows)]))[1:]

    def _is_plausible(self, known: pa.Array) -> pa.Array:
        first, last = self.plausible
        plausible = pc.is_valid(known)
        if first:
            plausible = pc.and_kleene(plausible, pc.greater_equal(known, _scalar(first)))
        if last:
            plausible = pc.and_kleene(plausible, pc.less(known, _scalar(last)))
        return pc.fill_null(plausible, False)

    @property
    def plausible(self) -> tuple[datetime | None, datetime | None]:
        """From when to when a row can be known; None: from any, to any."""
        return self._begins(), self.now and self.now + _AHEAD

    def _begins(self) -> datetime | None:
        begins = self.shape.begins
        return datetime.combine(begins, time(), UTC) if begins else None

    def _with_label_times(self, rows: pa.Table, batch: pa.Table) -> tuple[pa.Table, pa.Array]:
        """When labels became known: one without is not, one that can't be spoils its label."""
        source = self.shape.label_known_at or ""
        found = converted(batch[source], "timestamp", self._notation(source))
        at, text = found.values.combine_chunks(), found.failed.combine_chunks()
        if self.now:
            is_ahead = pc.fill_null(pc.greater(at, _scalar(self.now + _AHEAD)), False)
            text = pc.if_else(is_ahead, pc.cast(at, pa.string()), text)
            at = pc.if_else(is_ahead, pa.scalar(None, INSTANT), at)
        is_unknown = pc.and_(pc.is_null(at), pc.is_null(text))
        rows = self._without_label(rows, is_unknown)
        label = pc.coalesce(failed_texts(rows)[self._label], _texts(rows[self._label]))
        spoiled = pc.binary_join_element_wise(label, text, ", known at ")
        rows = with_failed(rows, self._label, spoiled)
        return rows, pc.if_else(pc.is_valid(label), at, pa.scalar(None, INSTANT))

    def _without_label(self, rows: pa.Table, where: pa.Array) -> pa.Table:
        failed = failed_texts(rows)[self._label]
        nothing = pa.scalar(None, rows.schema.field(self._label).type)
        plain = with_value(rows, self._label, pc.if_else(where, nothing, rows[self._label]))
        return with_failed(plain, self._label, pc.if_else(where, _NO_TEXT, failed), anew=True)

    def _said(self, rows: pa.Table, placed: pa.Array, again: int) -> pa.Table:
        names = [column.name for column in self.columns]
        found = rows.append_column(DIGEST, digests(rows, names, again))
        return found.append_column(PLACED, pc.cast(placed, INSTANT))


def _scalar(at: datetime) -> pa.Scalar:
    return pa.scalar(at, INSTANT)


def _texts(values: pa.ChunkedArray) -> pa.Array:
    return pc.cast(values, pa.string()).combine_chunks()


def last_placed(rows: pa.Table, num_records: int) -> datetime:
    """When the last record of a batch was first published."""
    found: datetime = rows[PLACED][num_records - 1].as_py()
    return found


def is_placed(rows: pa.Table) -> pa.ChunkedArray:
    """Which rows are where their own instant says."""
    return pc.fill_null(pc.equal(rows["known_at"], rows[PLACED]), False)
