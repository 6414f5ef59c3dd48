"""The pages in Airflow over a made-up year of nights: server time of each, p95 below 300 ms.

The journal is on the real PostgreSQL, the quarantine in real Delta files; the app is asked in this
process, so that no network is in the figure. Every answer has to be a whole page.
"""

import json
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import TYPE_CHECKING

from airflow.api_fastapi.core_api.security import get_user

from benchmarks.harness import RESULTS, circumstances, own_platform
from pipelines import services
from pipelines.core import journal
from pipelines.core.settings import Settings
from tests.servers.pages import made_up, made_up_lake, made_up_lineage

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

ROUNDS = 40
GOAL_MS = 300
SEED = 20261121
NIGHT = made_up.key(9)
ADDRESSES = (
    "",
    "runs",
    "runs?page=20",
    f"runs?stage=validate&interval={NIGHT}",
    "validation",
    "validation/7",
    "quarantine",
    "quarantine?page=20",
    "quarantine?reason=is+not+a+double",
    f"quarantine?feed=movements&interval={NIGHT}",
    "drift",
    "drift/2",
    "models",
    "models?page=2&answers=3",
    "data",
    f"data/{made_up.TABLES[0]}",
    "lineage",
    f"lineage?at={made_up.PREDICTED}.known_at",
    "lineage/prediction",
)


def main() -> None:
    """Every page once to warm up, then all of them again and again in changing order."""
    logging.disable(logging.INFO)  # of Airflow's, a line a request
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    taken: dict[str, list[float]] = {address: [] for address in ADDRESSES}
    with a_year() as client:
        for _ in range(ROUNDS + 1):
            for address in dice.sample(ADDRESSES, len(ADDRESSES)):
                taken[address].append(_milliseconds(client, address))
    found = {address: _summary(each[1:]) for address, each in taken.items()}
    _print(found)
    row = {"goal": "pages", "goal_ms": GOAL_MS, "pages": found, **circumstances(("fastapi",))}
    with (RESULTS / "pages.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


@contextmanager
def a_year() -> "Iterator[TestClient]":
    """Somebody who is logged in, at the pages over 365 nights."""
    from fastapi.testclient import TestClient
    from millrace_pages.app import create

    with own_platform() as (settings, _):
        services.ensure(settings, ["postgres"])
        made_up.write(journal.engine(settings))
        made_up_lake.write(settings)
        made_up_lineage.keep(settings)
        pages = create(Settings(**settings.model_dump()))
        pages.dependency_overrides[get_user] = lambda: "somebody"
        yield TestClient(pages)
        journal.engine.cache_clear()


def _milliseconds(client: "TestClient", address: str) -> float:
    began = time.perf_counter()
    answer = client.get(f"/{address}")
    milliseconds = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    assert answer.text.rstrip().endswith("</html>"), address
    return milliseconds


def _summary(milliseconds: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(median(milliseconds), 1),
        "p95_ms": round(quantiles(milliseconds, n=20)[-1], 1),
    }


def _print(found: dict[str, dict[str, float]]) -> None:
    print(f"{'page':<40}{'median ms':>10}{'p95 ms':>10}")
    for address, each in sorted(found.items(), key=lambda item: -item[1]["p95_ms"]):
        late = "" if each["p95_ms"] <= GOAL_MS else "  missed"
        print(f"/{address:<39}{each['median_ms']:>10.1f}{each['p95_ms']:>10.1f}{late}")
