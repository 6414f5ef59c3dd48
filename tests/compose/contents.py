"""Run inside a container: all that must survive, as digests of what is in it, one JSON line."""

import json
from datetime import UTC, datetime

from sqlalchemy import func, select

from pipelines import services
from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.stores import delta, feast, spark
from pipelines.use_cases import find

CASE = find("flight_delays")


def online(settings, session, at):
    """Every entity's states as served, and the number that gold and the store tell differently."""
    target, served, different = feast.store(settings, CASE.name), {}, 0
    for state in CASE.entity_states:
        view = target.get_feature_view(f"{CASE.name}_{state.name}")
        keys = ", ".join(state.keys)
        newest = session.sql(
            f"select {keys}, max(known_at) known_at from {CASE.table('gold', state.name)} "
            f"group by {keys} order by {keys}"
        ).collect()
        entities = [{key: row[key] for key in state.keys} for row in newest]
        names = [field.name for field in view.features]
        features = [f"{view.name}:{name}" for name in names]
        answer = target.get_online_features(features=features, entity_rows=entities)
        seconds = answer.to_dict(include_event_timestamps=True)[f"{names[0]}__ts"]
        instants = [datetime.fromtimestamp(each, UTC) for each in seconds]
        fresh = [at - view.ttl <= instant <= at for instant in instants]
        served[view.name] = sum(fresh)
        different += sum(
            usable and instant.replace(tzinfo=None) != row.known_at
            for usable, instant, row in zip(fresh, instants, newest, strict=True)
        )
    return {"served": served, "different": different}


def main():
    settings = Settings()
    services.ensure(settings)
    engine, session = journal.engine(settings), spark.connect(settings)
    found = status.case_status(engine, CASE)
    tables = {name: delta.digest(session, name) for name in found["tables"]}
    rows = {name: session.table(name).count() for name in found["tables"]}
    published = {name: table["rows"] for name, table in found["tables"].items()}
    table = journal.published
    newest = select(func.count()).select_from(table).group_by(table.c.table_name, table.c.attempt)
    with engine.connect() as connection:
        twice = sum(count > 1 for count in connection.scalars(newest))
    known_until = datetime.fromisoformat(found["features_known_until"])
    print(
        json.dumps(
            {
                "tables": tables,
                "rows_as_published": rows == published,
                "published_twice_by_one_attempt": twice,
                "known_until": found["features_known_until"],
                "online": online(settings, session, known_until),
            }
        )
    )


if __name__ == "__main__":
    main()
