"""`python -m pipelines.services.launch NAME`: become one program of a part.

The supervisor's own file so holds neither secrets nor quoting; both are computed here, at every
start, from the settings.
"""

import sys

from pipelines.core.settings import Settings
from pipelines.services.parts import PARTS


def main() -> None:
    """Replace this process by the named program."""
    name = sys.argv[1]
    programs = {program: part for part in PARTS.values() for program in part.programs}
    programs[name].program(Settings(), name).replace_process()


if __name__ == "__main__":
    main()
