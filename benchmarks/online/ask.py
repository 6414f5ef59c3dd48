"""One contestant asked in a process of its own, which has nothing else to do meanwhile.

`python -m benchmarks.online.ask NAME FOLDER REDIS NUM_ENTITIES [PORT]`: `ours_*` by our reader,
`feast_*` by Feast's client over its stock store, `server_*` by HTTP from Feast's server at PORT,
on a connection that stays open.
"""

import gc
import json
import random
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.online import tables
from benchmarks.online.stores import store

VIEWS = ("states_a", "states_b", "states_c")
# How often each number of rows is asked: the 99th of a hundred is the 20th or the 3rd from the end.
QUESTIONS = {1: 2000, 100: 300}
_WARM = 20
Answer: TypeAlias = Mapping[str, Sequence[Any]]
Question: TypeAlias = Callable[[list[int]], Answer]


def ours(name: str, folder: Path, redis: str) -> Question:
    """Our reader, as of the end of the states."""
    from pipelines.stores.online import Reader, views_of

    target = _store(name, folder, redis)
    rows = target._get_provider().online_store.rows(target.config)
    reader = Reader(rows, views_of(target, "all"))
    return lambda entities: reader.read({"entity": entities}, tables.END)


def feast(name: str, folder: Path, redis: str) -> Question:
    """Feast's client, in this process."""
    target = _store(name, folder, redis)
    service = target.get_feature_service("all")

    def asked(entities: list[int]) -> Answer:
        rows = {"entity": entities}
        found: Answer = target.get_online_features(service, rows, full_feature_names=True).to_dict()
        return found

    return asked


def server(port: int) -> Question:
    """Feast's own server."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"Content-Type": "application/json"}

    def asked(entities: list[int]) -> Answer:
        body = {"feature_service": "all", "entities": {"entity": entities}}
        words = json.dumps({**body, "full_feature_names": True})
        connection.request("POST", "/get-online-features", words, head)
        said = json.loads(connection.getresponse().read())
        names = said["metadata"]["feature_names"]
        return {n: each["values"] for n, each in zip(names, said["results"], strict=True)}

    return asked


def _store(name: str, folder: Path, redis: str) -> Any:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return store(name, folder, redis, VIEWS)


def timed(question: Question, num_entities: int, num_rows: int, seed: int) -> list[float]:
    """Milliseconds of each answer, the first ones left out."""
    dice = random.Random(seed)  # noqa: S311
    asked = [dice.sample(range(num_entities), num_rows) for _ in range(QUESTIONS[num_rows])]
    for entities in asked[:_WARM]:
        question(entities)
    gc.collect()
    found = []
    for entities in asked:
        began = time.perf_counter()
        question(entities)
        found.append((time.perf_counter() - began) * 1000)
    return found


def checked(question: Question, num_entities: int) -> str:
    """The digest of what is said of some entities, also of one that is not there."""
    answer = question([*range(50), num_entities])
    return tables.digest({name: answer[name] for name in _names()})


def right(folder: Path, num_entities: int) -> str:
    """What it has to be."""
    asked = [*range(50), num_entities]
    found = {view: tables.expected(folder, view, asked) for view in VIEWS}
    return tables.digest({name: found[name[:8]][name[10:]] for name in _names()})


def _names() -> list[str]:
    return [f"{view}__{feature}" for view in VIEWS for feature in tables.FEATURES]


def main() -> None:
    """Print the digest, and the milliseconds by the number of rows, as one line of JSON."""
    warnings.simplefilter("ignore")
    name, folder, redis, num_entities = (
        sys.argv[1],
        Path(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
    )
    whose = name.split("_", maxsplit=1)[0]
    if whose == "server":
        question = server(int(sys.argv[5]))
    else:
        question = (ours if whose == "ours" else feast)(name, folder, redis)
    said = {str(rows): timed(question, num_entities, rows, rows) for rows in QUESTIONS}
    print(json.dumps({"digest": checked(question, num_entities), "milliseconds": said}))


if __name__ == "__main__":
    main()
