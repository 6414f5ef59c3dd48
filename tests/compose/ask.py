"""Run inside a container: one look into the online store, and how long it took, one JSON line."""

import json
import time

from pipelines.core.settings import Settings
from pipelines.stores import feast, feast_online
from pipelines.use_cases import find

CASE = find("flight_delays")


def main():
    settings, state = Settings(), CASE.entity_states[0]
    target = feast.store(settings, CASE.name)
    entity = dict.fromkeys(state.keys, "EWR")
    began = time.monotonic()
    try:
        feast_online.read_online(target, [f"{CASE.name}_{state.name}"], [entity], settings.clock())
        failed = None
    except Exception as error:
        failed = type(error).__name__
    print(json.dumps({"failed": failed, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
