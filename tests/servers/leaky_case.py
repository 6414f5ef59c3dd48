"""A made-up case that knows the future in four columns, the clean twin of each beside it."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from pipelines.stores import dbt
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase
from tests.servers.lakes import Row

NAME, SEED = "t_leaks", 20260310
START, DAYS = datetime(2026, 3, 10, tzinfo=UTC), 6
INTERVAL = Interval.parse("2026-03-10/2026-03-15")
HOUR, DAY_MINUTES = timedelta(hours=1), 24 * 60

EVENTS = Feed(
    name="events",
    description="What happened at a place, and again when it was corrected",
    format="csv",
    columns=(
        Column("event_id", "string", "which"),
        Column("place", "string", "where"),
        Column("amount", "double", "how much"),
        Column("event_at", "timestamp", "when it happened"),
        Column("known_at", "timestamp", "when it was told"),
    ),
    key=("event_id",),
)
PLACES = Feed(
    name="places",
    description="Where things happen, told once a month",
    format="csv",
    kind="snapshot",
    columns=(
        Column("place", "string", "which"),
        Column("size", "int", "how large"),
        Column("known_at", "timestamp", "when it was told"),
    ),
    key=("place",),
)
CASE = UseCase(
    name=NAME,
    description="Made up",
    feeds=(EVENTS, PLACES),
    silver=("events", "places"),
    entity_states=(
        EntityState(name="hour_states", keys=("place",), step_minutes=60, ttl_minutes=120),
        EntityState(name="day_states", keys=("place",), step_minutes=1440, ttl_minutes=2880),
        EntityState(name="last_states", keys=("place",), step_minutes=None, ttl_minutes=5000),
    ),
    gold=("decisions", "labels"),
    models=(
        Model(
            name="high",
            task="binary",
            family="trees",
            row_key=("event_id",),
            label="is_high",
            look_back_days=6,
            validation_days=1,
            evaluation_days=1,
        ),
    ),
)
SQL = {
    "silver/t_leaks_events": (
        "",
        """
        select event_id, place, amount, event_at, known_at, ingested_at, known_date
        from ({{ deduplicated(source('bronze', 't_leaks_events'), key='event_id') }})
        """,
        "event_id string, place string, amount double, event_at timestamp",
    ),
    "silver/t_leaks_places": (
        "{{ config(meta={'snapshot': true}) }}",
        """
        select place, size, known_at, ingested_at, known_date
        from ({{ newest_snapshot(source('bronze', 't_leaks_places'), key='place') }})
        """,
        "place string, size int",
    ),
    # Right: what was known then. Wrong: all of the instant's day; corrections that came later.
    "gold/t_leaks_hour_states": (
        "{{ config(meta={'step_minutes': 60}) }}",
        """
        with known as ({{ versions('t_leaks_events', key='event_id', days=1) }}),
        stretches as (select *, known_at as from_at, valid_until as to_at from known),
        states as (
            select place, instant, count(*) as num_events_1d, avg(amount) as amount_mean_1d
            from ({{ at_instants('stretches') }}) group by place, instant
        ),
        newest as (
            select
                event_id, place, max_by(amount, known_at) as amount,
                min(event_at) as event_at, min(known_at) as known_at
            from {{ ref('t_leaks_events') }} group by event_id, place
        ),
        leaking as (
            select
                states.place, instant,
                count_if(to_date(newest.event_at) = to_date(instant)) as num_events_same_day,
                round(sum(newest.amount) filter (
                    where newest.known_at < instant
                    and newest.known_at >= instant - interval 6 hours
                ), 6) as amount_sum_6h
            from states inner join newest using (place)
            group by states.place, instant
        )
        select
            place, instant as known_at, num_events_1d, amount_mean_1d, num_events_same_day,
            amount_sum_6h, size, {{ date_of_instant('instant') }} as known_date
        from states inner join leaking using (place, instant)
        inner join {{ ref('t_leaks_places') }} as places using (place)
        """,
        "place string, num_events_1d bigint, amount_mean_1d double, num_events_same_day bigint, "
        "amount_sum_6h double, size int",
    ),
    # Wrong: no instant at all.
    "gold/t_leaks_day_states": (
        "{{ config(meta={'step_minutes': 1440}) }}",
        """
        with known as ({{ versions('t_leaks_events', key='event_id', days=1) }}),
        stretches as (select *, known_at as from_at, valid_until as to_at from known),
        ever as (
            select place, count(*) as num_events_ever
            from {{ ref('t_leaks_events') }} group by place
        ),
        days as (
            select place, instant, count(*) as num_events_1d
            from ({{ at_instants('stretches') }}) group by place, instant
        )
        select
            place, instant as known_at, num_events_1d, num_events_ever,
            {{ date_of_instant('instant') }} as known_date
        from days inner join ever using (place)
        """,
        "place string, num_events_1d bigint, num_events_ever bigint",
    ),
    "gold/t_leaks_last_states": (
        "",
        """
        select
            place, known_at, max_by(amount, event_id) as last_amount,
            max(known_date) as known_date
        from {{ ref('t_leaks_events') }} where {{ known_in_interval() }}
        group by place, known_at
        """,
        "place string, last_amount double",
    ),
    "gold/t_leaks_decisions": (
        "{{ config(meta={'instants': true}) }}",
        """
        with decided as (
            select
                event_id, place, min_by(amount, known_at) as amount,
                min(known_at) + interval 1 second as decided_at, count(*) > 1 as is_corrected
            from {{ ref('t_leaks_events') }} where {{ known_by_end(3) }}
            group by event_id, place
        )
        select
            event_id, decided_at as known_at, true as is_batch, place, amount, is_corrected,
            {{ date_of_instant('decided_at') }} as known_date
        from decided
        where decided_at > {{ instant(interval_start()) }}
            and decided_at <= {{ instant(interval_end()) }}
        """,
        "event_id string, is_batch boolean, place string, amount double, is_corrected boolean",
    ),
    "gold/t_leaks_labels": (
        "",
        """
        select event_id, amount > 50 as is_high, known_at, known_date
        from {{ ref('t_leaks_events') }} where {{ known_in_interval() }}
        """,
        "event_id string, is_high boolean",
    ),
}


def write_project(folder: Path) -> Path:
    """The dbt project with this case alone."""
    parts = shutil.ignore_patterns("target", "logs", "models")
    shutil.copytree(dbt.PROJECT, folder, ignore=parts)
    for place, (config, sql, columns) in SQL.items():
        file = folder / "models" / NAME / f"{place}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{config}\n{sql}")
        facts = ", ingested_at timestamp" if place.startswith("silver") else ""
        typed = f"{columns}, known_at timestamp{facts}, known_date date".split(", ")
        named = (dict(zip(("name", "data_type"), each.split(), strict=True)) for each in typed)
        said = [{**each, "description": each["name"]} for each in named]
        file.with_suffix(".yml").write_text(
            yaml.safe_dump({"models": [{"name": file.stem, "description": "-", "columns": said}]})
        )
    tables = [{"name": f"{NAME}_{feed.name}"} for feed in CASE.feeds]
    source = {"name": "bronze", "schema": "bronze", "tables": tables}
    (folder / "models" / NAME / "sources.yml").write_text(yaml.safe_dump({"sources": [source]}))
    return folder


def events() -> Iterator[Row]:
    """Of two places, at any minute; a quarter is corrected, hours to a day later."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for number in range(DAYS * 100):
        at = START + dice.randrange(DAYS * DAY_MINUTES) * timedelta(minutes=1)
        row = {"event_id": f"e{number}", "place": dice.choice("ab"), "event_at": at}
        yield row | {"amount": dice.uniform(0, 100), "known_at": at + timedelta(seconds=30)}
        later = at + dice.choice((3, 20)) * HOUR + timedelta(seconds=30)
        if dice.random() < 0.25 and later < START + DAYS * 24 * HOUR:
            yield row | {"amount": dice.uniform(0, 100), "known_at": later}
