"""What the goal `quality` is made of, on a small year in which whole weeks are good or bad."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.contest import contestants, judge, year
from benchmarks.contest.contestants import ALL, LABEL, SCHEDULE, WITHOUT_TAIL, labels
from benchmarks.contest.judge import SAME_DAY, Parts, Run
from models.flight_delays import CATEGORICAL, PLAN, ROTATION, STATES
from pipelines.use_cases.spec.interval import Interval

SEED = 11
NUM_ROWS = 3000
SIGNALS = ("origin_states__num_overdue", "local_hour", "previous_leg_overdue_minutes")
# The same all week, another each week: by it a random split knows the week again.
OF_THE_WEEK = "origin_weather_states__pressure_millibars"


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Late by three inputs, the carrier BB, and the luck of the week, of which nothing tells."""
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    day = np.sort(random.integers(0, 365, NUM_ROWS))
    carrier = random.choice(["AA", "BB", "CC"], NUM_ROWS)
    columns = {name: random.normal(size=NUM_ROWS) for name in ALL.numeric}
    columns[OF_THE_WEEK] = random.normal(size=53)[day // 7]
    luck = random.normal(0, 1.5, 53)[day // 7]
    logit = sum(columns[name] for name in SIGNALS) + 1.5 * (carrier == "BB") + luck - 1.5
    hidden = random.random(NUM_ROWS) < 0.2
    at = instants(day, random.integers(0, 1080, NUM_ROWS))
    return pa.table(
        {
            **columns,
            "local_hour": pa.array(columns["local_hour"], mask=hidden),
            "tail_states__num_departures_3d": pa.nulls(NUM_ROWS, pa.float64()),
            "origin": random.choice(["EWR", "JFK", "LGA"], NUM_ROWS),
            "carrier": carrier,
            "destination": random.choice(["LAX", "ORD"], NUM_ROWS),
            "manufacturer": ["BOEING", None] * (NUM_ROWS // 2),
            LABEL: random.random(NUM_ROWS) < 1 / (1 + np.exp(-logit)),
            "known_at": at,
            "label_known_at": pc.add(at, timedelta(hours=4)),
        }
    )


def instants(day, minute) -> pa.Array:
    """From three in the morning on in New York."""
    first = datetime(2013, 1, 1, 8, tzinfo=UTC)
    found = [
        first + timedelta(days=int(d), minutes=int(m)) for d, m in zip(day, minute, strict=True)
    ]
    return pa.array(found, pa.timestamp("us", "UTC"))


@pytest.fixture(scope="module")
def parts(table) -> Parts:
    return judge.in_time_order(table)


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """So few rows can't fill leaves of hundreds, and need no slow rate."""
    with pytest.MonkeyPatch.context() as patch:
        small = {"num_leaves": 7, "min_data_in_leaf": 20, "learning_rate": 0.2, "num_threads": 1}
        patch.setattr(contestants, "BOOSTING", {**contestants.BOOSTING, **small})
        patch.setattr(contestants, "PATIENCE_ROUNDS", 10)
        yield


def days(rows: pa.Table) -> set[date]:
    return set(judge.local_day(rows).tolist())


# The year


def test_the_ranges_follow_each_other_and_hold_the_year():
    parts = [Interval.parse(key) for key in year.RANGES]
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert parts[0].start == datetime(2012, 12, 31, tzinfo=UTC)
    assert parts[-1].end == datetime(2014, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known_until", "missing"),
    [
        (None, 4),
        (datetime(2013, 4, 1, tzinfo=UTC), 3),
        (datetime(2013, 9, 30, tzinfo=UTC), 2),
        (datetime(2014, 1, 2, tzinfo=UTC), 0),
    ],
)
def test_published_ranges_are_not_run_again(known_until, missing):
    assert year.due(known_until) == list(year.RANGES[len(year.RANGES) - missing :])


def test_a_table_is_written_whole_and_used_again(tmp_path, table, monkeypatch):
    path = tmp_path / "new" / "table.parquet"
    year.write(table.replace_schema_metadata({year.MADE_BY: "0.1.0+abc"}), path)
    monkeypatch.setattr(year, "platform", lambda: pytest.fail("a platform was started"))
    found = year.table(path, anew=False)
    assert found.equals(table)
    assert found.schema.metadata[year.MADE_BY] == b"0.1.0+abc"
    assert [file.name for file in path.parent.iterdir()] == ["table.parquet"]


# The parts


def test_the_test_is_the_last_quarter_and_validation_whole_weeks_before(table, parts):
    assert table.num_rows - 5 < sum(parts.sizes().values()) <= table.num_rows
    in_training, in_validation, in_test = (days(rows) for rows in vars(parts).values())
    assert not in_training & in_validation
    assert max(in_training | in_validation) == date(2013, 9, 30)
    assert (min(in_test), max(in_test)) == (date(2013, 10, 1), date(2013, 12, 31))
    starts = ("2013-02-05", "2013-03-19", "2013-04-30", "2013-06-11", "2013-07-23", "2013-09-03")
    firsts = [date.fromisoformat(start) for start in starts]
    assert in_validation == {first + timedelta(days=day) for first in firsts for day in range(7)}


def test_what_landed_in_october_is_neither_learned_nor_known_before():
    october = judge.TEST_FROM
    rows = [
        {"known_at": october + before, "label_known_at": october + landed}
        for before, landed in (
            (-timedelta(days=60), -timedelta(days=59)),
            (-timedelta(hours=3), -timedelta(microseconds=1)),
            (-timedelta(hours=3), timedelta()),
            (-timedelta(microseconds=1), timedelta(hours=3)),
            (timedelta(), timedelta(hours=3)),
        )
    ]
    table = pa.Table.from_pylist(rows).append_column("row", pa.array(range(5)))
    parts = judge.in_time_order(table)
    learned = pa.concat_tables([parts.training, parts.validation])["row"].to_pylist()
    assert (sorted(learned), parts.test["row"].to_pylist()) == ([0, 1], [4])
    assert [str(day) for day in judge.local_day(table)[-2:]] == ["2013-09-30", "2013-10-01"]


def test_a_random_split_deals_the_same_rows_anew(parts):
    dealt = judge.at_random(parts, seed=3)
    assert dealt.sizes() == parts.sizes()
    order = [("known_at", "ascending"), (SIGNALS[0], "ascending")]
    rows = pa.concat_tables(vars(dealt).values()).sort_by(order)
    assert rows.equals(pa.concat_tables(vars(parts).values()).sort_by(order))
    assert min(days(dealt.test)) < date(2013, 2, 1)
    assert max(days(dealt.training)) > date(2013, 12, 1)


def test_same_day_outcomes_are_those_of_the_origin_and_day():
    instants = [datetime(2013, 7, 1, hour, tzinfo=UTC) for hour in (3, 5, 6, 7, 8)]
    rows = pa.table(
        {
            "known_at": pa.array(instants, pa.timestamp("us", "UTC")),
            "origin": ["JFK", "JFK", "JFK", "EWR", "JFK"],
            LABEL: [True, True, False, True, False],
        }
    )
    known = judge.with_same_day_outcomes(rows)
    # At 3 UTC it is still June in New York.
    assert known[SAME_DAY[0]].to_pylist() == pytest.approx([1, 1 / 3, 1 / 3, 1, 1 / 3])
    assert known[SAME_DAY[1]].to_pylist() == [1, 3, 3, 1, 3]
    assert not set(SAME_DAY) & set(ALL.inputs)


# The contestants


def test_the_schedule_alone_has_no_state():
    assert SCHEDULE.numeric == PLAN
    assert SCHEDULE.categorical == CATEGORICAL


def test_without_the_tail_nothing_is_left_that_it_tells():
    left_out = set(ALL.inputs) - set(WITHOUT_TAIL.inputs)
    states = {f"tail_states__{feature}" for feature in STATES["tail_states"]}
    planned = {"num_previous_legs_same_day", "rotation_slack_minutes"}
    aircraft = {"num_seats", "aircraft_age_years", "manufacturer"}
    assert left_out == {*states, *ROTATION, *planned, *aircraft}
    words = {"tail", "leg", "legs", "rotation", "aircraft", "seats", "manufacturer", "engines"}
    told = [name for name in WITHOUT_TAIL.inputs if words & set(name.split("_"))]
    assert told == []


@pytest.fixture(scope="module")
def honest(parts) -> Run:
    return judge.run(partial(contestants.boosted, columns=ALL), parts, seed=0)


def auc(fit, parts: Parts, seed: int = 0) -> float:
    return judge.run(fit, parts, seed).roc_auc


@pytest.mark.parametrize("fit", [contestants.boosted, contestants.logistic])
def test_it_learns_what_its_columns_tell(fit, parts):
    told = auc(partial(fit, columns=ALL), parts)
    assert told > 0.7
    # Of the three signals one is the plan's, one the tail's.
    assert 0.55 < auc(partial(fit, columns=SCHEDULE), parts) < told
    assert 0.6 < auc(partial(fit, columns=WITHOUT_TAIL), parts) < told


@pytest.mark.parametrize("fit", [contestants.boosted, contestants.logistic])
def test_a_category_and_a_null_never_seen_are_scored(fit, parts):
    predict = fit(parts.training, parts.validation, 0, columns=ALL)
    rows = parts.test.slice(0, 5)
    for name in ("carrier", "local_minute"):
        position = rows.column_names.index(name)
        strange = pa.array(["ZZ"] * 5) if name == "carrier" else pa.nulls(5, pa.float64())
        rows = rows.set_column(position, name, strange)
    probability = predict(rows)
    assert probability.shape == (5,)
    assert ((probability > 0) & (probability < 1)).all()


def test_a_seed_gives_the_same_again_and_another_gives_another(parts, honest):
    fit = partial(contestants.boosted, columns=ALL)
    again, other = (judge.run(fit, parts, seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.probability, honest.probability)
    assert (again.probability != other.probability).any()


def test_categories_are_coded_by_the_training_rows():
    columns = contestants.chosen(ALL, lambda name: name in ("local_hour", "carrier"))
    rows = pa.table({"local_hour": [7.0, None], "carrier": ["BB", None]})
    known = contestants.vocabularies(pa.table({"carrier": ["BB", "AA", "BB"]}), ["carrier"])
    assert known == {"carrier": ("AA", "BB")}
    matrix = contestants.coded_matrix(rows, columns=columns, known=known)
    np.testing.assert_array_equal(matrix, [[7, 2], [np.nan, 0]])
    assert matrix.dtype == np.float32


def test_only_the_training_and_validation_rows_are_given_to_a_fit(parts):
    given = []

    def fit(training, validation, seed):
        given.append((training, validation, seed))
        return lambda rows: np.linspace(0, 1, rows.num_rows)

    judged = judge.run(fit, parts, seed=5)
    assert given == [(parts.training, parts.validation, 5)]
    label = labels(parts.test)
    assert judged.roc_auc == pytest.approx(roc_auc_score(label, judged.probability))


# The controls


def test_broken_rules_look_too_good(parts, honest):
    gains = {name: run.roc_auc - honest.roc_auc for name, run in judge.controls(parts, 0).items()}
    assert gains["same-day outcomes"] > 0.03
    assert gains["random split"] > 0.01
