"""A made-up film club: each member likes one kind, and takes films over a hundred days."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.columns import Columns
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Ranking
from models.two_stage.settings import Ranker, Retrieval, TwoStage
from tests.model.toys.samples import Sample

DAY = 24 * 3600 * 10**6
NUM_FILMS, NUM_MEMBERS, NUM_TAKEN = 60, 80, 24
KINDS = ("Crime", "Space", "Song")
LABEL = "taken_next"
TASK = Ranking(k=5, num_rows_min=20, num_units_min=10)
COLUMNS = Columns(
    numeric=("age",),
    categorical=("city",),
    numeric_lists=("stars",),
    categorical_lists=("taken",),
)
SETTINGS = TwoStage(
    retrieval=Retrieval(
        num_candidates=12, similarity_l2=5.0, num_dimensions=8, num_epochs=20, learning_rate=0.02
    ),
    ranker=Ranker(past_share=0.5, num_rounds=40, patience=10, min_rows=20),
)
INSTANT = pa.timestamp("us", "UTC")


def films(num_films: int = NUM_FILMS) -> pa.Table:
    """Every third film is of one kind; one has no year. Listed since the first day."""
    numbers = range(num_films)
    years = [None if number == 7 else 1960 + number % 30 for number in numbers]
    return pa.table(
        {
            "item_id": [f"f{number:03}" for number in numbers],
            "release_year": pa.array(years, pa.int32()),
            "tags": [f"{KINDS[number % 3]}|Film" for number in numbers],
            "known_at": pa.array([0] * num_films, INSTANT),
        }
    )


def ratings(seed: int = 0) -> pa.Table:
    """Most of what a member takes is of their kind, and liked more; low numbers are popular."""
    random = np.random.default_rng(seed)
    rows = []
    for member in range(NUM_MEMBERS):
        number = np.arange(NUM_FILMS)
        weight = np.where(number % 3 == member % 3, 8.0, 1.0) / (1 + number / 20)
        taken = random.choice(number, NUM_TAKEN, replace=False, p=weight / weight.sum())
        at = np.sort(random.integers(0, 100 * DAY, NUM_TAKEN))
        stars = np.where(taken % 3 == member % 3, 4, 2) + random.integers(0, 2, NUM_TAKEN)
        rows += [
            (f"m{member:02}", f"f{film:03}", s, t)
            for film, s, t in zip(taken, stars, at, strict=True)
        ]
    users, items, stars, instants = zip(*rows, strict=True)
    columns = {"user_id": users, "item_id": items, "rating": [float(each) for each in stars]}
    return pa.table({**columns, "known_at": pa.array([int(t) for t in instants], INSTANT)})


def asked(taken: pa.Table, days: range) -> pa.Table:
    """A row for each member and day: what they took before it, and in the 20 days after it."""
    own: dict[str, list[tuple[int, str, float]]] = {}
    instants = taken["known_at"].cast(pa.int64()).to_pylist()
    names, stars = taken["item_id"].to_pylist(), taken["rating"].to_pylist()
    for user, *row in zip(taken["user_id"].to_pylist(), instants, names, stars, strict=True):
        own.setdefault(user, []).append(tuple(row))
    rows = []
    for day in days:
        for user in sorted(own):
            before = sorted(each for each in own[user] if each[0] < day * DAY)
            after = [each[1] for each in own[user] if 0 <= each[0] - day * DAY < 20 * DAY]
            known = [each[1] for each in before], [each[2] for each in before]
            rows.append((user, day * DAY, *known, after, 20.0 + int(user[1:]) % 7, f"c{day % 2}"))
    names = ("user_id", "known_at", "taken", "stars", LABEL, "age", "city")
    kinds = (pa.string(), INSTANT, pa.list_(pa.string()), pa.list_(pa.float64()))
    schema = pa.schema(
        zip(names, (*kinds, pa.list_(pa.string()), pa.float64(), pa.string()), strict=True)
    )
    columns = zip(*rows, strict=True)
    arrays = [pa.array(each, kind) for each, kind in zip(columns, schema.types, strict=True)]
    return pa.table(arrays, schema=schema)


def tables() -> Mapping[str, pa.Table]:
    """All roles; what is known in whole tables ends before the evaluation."""
    taken = ratings()
    known = taken.filter(pa.compute.less(taken["known_at"].cast(pa.int64()), 80 * DAY))
    return {
        "training": asked(known, range(45, 60, 5)),
        "validation": asked(known, range(60, 65, 5)),
        "evaluation": asked(taken, range(80, 85, 5)),
        "ratings": known,
        "items": films(),
    }


def sample() -> Sample:
    """As the contract of families wants it."""
    return Sample(COLUMNS, TASK, SETTINGS, LABEL, tables())


def job_of(folder: Path, settings: TwoStage = SETTINGS, **changes: pa.Table) -> Job:
    """A job with its files; `changes` are other tables, by their roles."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {**tables(), **changes}
    for name, table in given.items():
        pq.write_table(table, folder / f"{name}.parquet")
    spec = ModelSpec(columns=COLUMNS, task=TASK, settings=settings)
    files = {name: folder / f"{name}.parquet" for name in given if name != "evaluation"}
    return Job(spec=spec, label=LABEL, tables=files, folder=folder)
