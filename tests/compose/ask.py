"""Run inside a container: one look into the online store, and how long it took, one JSON line."""

import json
import time

from pipelines.core.settings import Settings
from pipelines.stores import feast
from pipelines.use_cases import find

CASE = find("flight_delays")


def main():
    settings, state = Settings(), CASE.entity_states[0]
    target = feast.store(settings, CASE.name)
    view = target.get_feature_view(f"{CASE.name}_{state.name}")
    features = [f"{view.name}:{field.name}" for field in view.features]
    entity = dict.fromkeys(state.keys, "EWR")
    began = time.monotonic()
    try:
        target.get_online_features(features=features, entity_rows=[entity])
        failed = None
    except Exception as error:
        failed = type(error).__name__
    print(json.dumps({"failed": failed, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
