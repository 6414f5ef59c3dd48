"""Stands in for a stage's command: notes its call, and ends as the test's rules say.

    python stub.py FOLDER STAGE CASE [--model NAME] --interval KEY [FLAG...]

Standard library only, so that it is there at once. `FOLDER/rules.json` is a list of
`{stage, interval, exits, seconds}`; the first that fits counts. The n-th call of a stage, of one
model, for an interval takes the n-th of `seconds` and ends with the n-th of `exits`, the last for
all after it.
`FOLDER/calls.jsonl` gets a line when a call begins, and one when it ends by itself.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    folder, (stage, case, *words) = Path(sys.argv[1]), sys.argv[2:]
    model = words.pop(0) if words.pop(0) == "--model" else None
    _, interval, *flags = words if model else ("--interval", *words)
    call = {"stage": stage, "case": case, "model": model, "interval": interval, "flags": flags}
    call |= {"task": os.environ.get("MILLRACE_AIRFLOW_RUN")}
    call |= {"pid": os.getpid(), "parent": os.getppid()}
    call["number"] = _noted(folder, call)
    rule = _rule(folder, stage, interval)
    time.sleep(_nth(rule.get("seconds", [0]), call["number"]))
    ended = _nth(rule.get("exits", [0]), call["number"])
    _note(folder, {**call, "ended": ended})
    print(json.dumps(call) if ended == 0 else f"{stage} of {interval} ends with {ended}")
    return ended


def _nth(values, number):
    return values[min(number, len(values)) - 1]


def _rule(folder, stage, interval):
    rules = json.loads((folder / "rules.json").read_text())
    fits = (r for r in rules if r["stage"] == stage and r["interval"] in (interval, "*"))
    return next(fits, {})


def _noted(folder, call):
    """Note that a call has begun; its number among those of its stage and interval."""
    with (folder / "calls.jsonl").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        same = [("ended" not in it) and _place(it) == _place(call) for it in map(json.loads, file)]
        number = sum(same) + 1
        file.write(json.dumps({**call, "number": number, "at": time.time()}) + "\n")
    return number


def _note(folder, call):
    with (folder / "calls.jsonl").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps({**call, "at": time.time()}) + "\n")


def _place(call):
    return call["stage"], call["model"], call["interval"]


if __name__ == "__main__":
    sys.exit(main())
