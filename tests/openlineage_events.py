"""OpenLineage events as a backend would take them."""

from collections.abc import Mapping
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState


def parsed(values: Mapping[str, Any]) -> RunEvent:
    """Read an event's own fields back through the specification's classes, which check them.

    Raises:
        ValueError: a field is not what the specification says; `KeyError`: it is missing.
    """
    run, job = values["run"], values["job"]
    return RunEvent(
        eventType=RunState(values["eventType"]),
        eventTime=values["eventTime"],
        run=Run(run["runId"], run["facets"]),
        job=Job(job["namespace"], job["name"], job["facets"]),
        inputs=[InputDataset(**each) for each in values.get("inputs", ())],
        outputs=[OutputDataset(**each) for each in values.get("outputs", ())],
        producer=values["producer"],
    )
