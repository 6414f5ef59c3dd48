"""One filling in a process of its own: `python -m benchmarks.online.materialize NAME FOLDER REDIS`.

What is timed is `FeatureStore.materialize`, from the table to the online store; imports and
definitions come before.
"""

import json
import sys
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from benchmarks.online import tables
from benchmarks.online.stores import store

VIEW = "states"
NUM_CHECKED = 1000


def main() -> None:
    """Print the seconds, the peak of memory and the digest of what Feast reads, as one line."""
    warnings.simplefilter("ignore")
    name, folder, redis = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    num_entities = int(sys.argv[4])
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        target = store(name, folder, redis, [VIEW])
        began = time.perf_counter()
        target.materialize(tables.END - tables.TTL, tables.END, [VIEW])
        seconds = time.perf_counter() - began
    peak = peak_mib()
    asked = checked(num_entities)
    names = [f"{VIEW}:{feature}" for feature in tables.FEATURES]
    answer = target.get_online_features(names, [{"entity": each} for each in asked]).to_dict()
    answer.pop("entity")
    said = {"seconds": seconds, "peak_mib": peak, "digest": tables.digest(answer)}
    print(json.dumps(said))


def peak_mib() -> float:
    """Of this program alone: `ru_maxrss` would begin at what its parent held."""
    said = Path("/proc/self/status").read_text()
    return int(said.partition("VmHWM:")[2].split()[0]) / 1024


def checked(num_entities: int) -> list[int]:
    """A thousand entities, and one that is not there."""
    step = max(1, num_entities // NUM_CHECKED)
    return [*range(0, num_entities, step), num_entities]


if __name__ == "__main__":
    main()
