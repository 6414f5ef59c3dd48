"""Runs the stages that a test asks for, through the runner, all in this one process.

A line of standard input is `[stage, case, interval, model or null]`; a line of standard output
answers with the stage's result, or with the kind and the words of what it raised. Started in a copy
of the project, so that every import, dbt and torchrun are the copy's.
"""

import json
import logging
import os
import sys


def main() -> None:
    # What libraries print goes to the log; the answers have the old standard output for themselves.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("pipelines").setLevel(logging.INFO)
    from pipelines.core import registry, runner
    from pipelines.core.errors import MillraceError
    from pipelines.core.settings import Settings
    from pipelines.use_cases import find
    from pipelines.use_cases.spec.interval import Interval

    for line in sys.stdin:
        stage, case, key, model = json.loads(line)
        asked = (find(case), registry.find(stage), Interval.parse(key))
        try:
            said = runner.run(Settings(), *asked, model=model)
        except MillraceError as error:
            said = {"raised": type(error).__name__, "words": str(error)}
        answers.write(json.dumps(said, default=str) + "\n")


if __name__ == "__main__":
    main()
