"""The ranker's rows as a model would have met them: with what was known at each, and no more.

Their candidates come of retrievers that know only what was rated before the first of them. What is
known of the items is as of the row's day: a model that is refreshed at night sees it so.

Shape suffixes: B rows, P pairs of a row and a candidate, F features.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import text_list
from models.errors import DataRefused
from models.job import Job
from models.spec import ModelSpec
from models.tasks.task import Array
from models.trees import inputs
from models.trees.inputs import Categories
from models.two_stage import features, learning, ratings
from models.two_stage.candidates import Candidates, Retrievers
from models.two_stage.catalogue import Catalogue, statistics
from models.two_stage.ranker import Judged
from models.two_stage.ratings import Ratings, instants
from models.two_stage.settings import TwoStage

_DAY_MICROSECONDS = 24 * 3600 * 10**6


def cut(taken: Ratings, training: pa.Table, settings: TwoStage) -> int:
    """The instant of the ranker's first row: the first one after the oldest share of ratings.

    Where most ratings are newer than all rows, as in a source's liveliest days, it is the share of
    those known by the last row.

    Raises:
        DataRefused: there are no ratings before a row.
    """
    at_N = instants(training, settings.sources.known_at)
    by_last = taken.before(int(at_N.max()))
    if not len(by_last):
        raise DataRefused("there are no rows of ratings before the last training row")
    share = settings.ranker.past_share
    ends = [each.known_at_N[int(len(each) * share)] for each in (taken, by_last)]
    least = ends[0] if (at_N >= ends[0]).any() else ends[1]
    found = int(at_N[at_N >= least].min())
    if not len(taken.before(found)):
        raise DataRefused("there are no rows of ratings before the first training rows")
    return found


@dataclass(frozen=True)
class Rows:
    """How rows become candidates with features."""

    spec: ModelSpec
    label: str
    settings: TwoStage
    categories: Categories
    retrievers: Retrievers
    ratings: Ratings
    since: int

    @classmethod
    def after(
        cls,
        training: pa.Table,
        job: Job,
        settings: TwoStage,
        categories: Categories,
        catalogue: Catalogue,
        taken: Ratings,
    ) -> "Rows":
        """With retrievers of the ratings before the first of the training rows that are late.

        Raises:
            DataRefused: none is late enough.
            ModelRefused: the index finds too few of the nearest items.
        """
        since = cut(taken, training, settings)
        known = learning.fitted(taken.before(since), catalogue, settings.retrieval, settings.seed)
        return cls(job.spec, job.label, settings, categories, known.retrievers, taken, since)

    def judged(self, table: pa.Table) -> Judged:
        """The candidates of rows from that instant on, and which of them are relevant.

        Raises:
            DataRefused: there are no such rows, or a column is absent or of the wrong kind.
        """
        table = self.late(table)
        parts = [self._of_day(table, *day) for day in self._days(table)]
        candidates = Candidates.joined([found for found, _ in parts])
        feature_PF = np.concatenate([part for _, part in parts])
        is_relevant_P, recall = self._relevance(table, candidates)
        return Judged(candidates, feature_PF, is_relevant_P, table.num_rows, recall)

    def late(self, table: pa.Table) -> pa.Table:
        """The rows from that instant on, in order; where they are too many, some of each time.

        Raises:
            DataRefused: there are none.
        """
        name = self.settings.sources.known_at
        late = table.filter(pa.array(instants(table, name) >= self.since))
        if not late.num_rows:
            raise DataRefused("no validation rows are later than the ranker's first; take newer")
        late = late.sort_by([(key, "ascending") for key in (name, *self.spec.task.unit)])
        num_rows = min(late.num_rows, self.settings.ranker.num_decisions_max)
        return late.take(np.linspace(0, late.num_rows - 1, num_rows).astype(int))

    def _days(self, table: pa.Table) -> Iterator[tuple[int, int, int]]:
        """Each day's beginning, microseconds since 1970, with its first row and its end."""
        day_B = instants(table, self.settings.sources.known_at) // _DAY_MICROSECONDS
        days, starts = np.unique(day_B, return_index=True)
        ends = [*starts[1:], table.num_rows]
        for day, start, end in zip(days, starts, ends, strict=True):
            yield int(day) * _DAY_MICROSECONDS, int(start), int(end)

    def _of_day(self, table: pa.Table, at: int, start: int, end: int) -> tuple[Candidates, Array]:
        retrievers, rows = self.retrievers, table.slice(start, end - start)
        items = retrievers.catalogue
        history_BI = ratings.of_rows(rows, self.spec.columns, items, retrievers.weights)
        found = retrievers.found(history_BI)
        found = found.where(items.listed_at_I[found.item_P] <= at)
        feature_PF = features.matrix(
            found,
            history_BI,
            items,
            retrievers.towers.contents,
            statistics(self.ratings, len(items), at),
            inputs.matrix(rows, self.spec.columns, self.categories),
        )
        return replace(found, row_P=found.row_P + start), feature_PF

    def _relevance(self, table: pa.Table, candidates: Candidates) -> tuple[Array, float]:
        """1 where a candidate is in its row's label, [P]; the share of labels that are there."""
        item_N, offset_B1 = text_list(table, self.label)
        row_N = np.repeat(np.arange(table.num_rows), np.diff(offset_B1))
        code_N, num_items = self.retrievers.catalogue.codes(item_N), len(self.retrievers.catalogue)
        wanted = np.unique((row_N * num_items + code_N)[code_N >= 0])
        is_relevant_P = np.isin(candidates.row_P * num_items + candidates.item_P, wanted)
        return is_relevant_P.astype(float), float(is_relevant_P.sum() / max(len(item_N), 1))
