"""A use case that can't be loaded is an import error of Airflow: of this file, which has no Dag.

The Dags of the other cases come from the other files, and go on. (Airflow reads only files in which
it finds its own name and the word dag: this text has both.)
"""

from pipelines.core.errors import MillraceError
from pipelines.use_cases import load

broken = load().broken.values()
if broken:
    raise MillraceError("; ".join(str(case) for case in broken))
