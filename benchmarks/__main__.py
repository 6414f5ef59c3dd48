"""`make bench` runs every goal, `make bench GOAL=g2` one; see `benchmarks/results`."""

import sys
from importlib import import_module
from pathlib import Path

NOT_GOALS = {"__init__", "__main__", "harness"}


def main() -> None:
    """Run the goals named on the command line, or all of them."""
    goals = sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - NOT_GOALS)
    chosen = sys.argv[1:] or goals
    unknown = sorted(set(chosen) - set(goals))
    if unknown:
        sys.exit(f"no goal {', '.join(unknown)}; there is {', '.join(goals)}")
    for goal in chosen:
        import_module(f"benchmarks.{goal}").main()


if __name__ == "__main__":
    main()
