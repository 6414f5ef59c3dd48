"""Great Expectations' own page of a verdict: built when somebody first asks, by another process.

Our page of findings says all of it; a night does not wait for a second one.
"""

import os
import subprocess
from threading import Lock
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import Row

from millrace_pages import queries
from millrace_pages.site import Journal, TheSettings
from pipelines.core.settings import Settings
from pipelines.stores import objects

router = APIRouter()

# One at a time: whoever asks meanwhile is told so, and holds no thread of the server.
_BUILDING = Lock()
_SECONDS = 120


@router.get("/validation/{number}/docs")
def data_docs(
    request: Request, journal: Journal, settings: TheSettings, number: int
) -> RedirectResponse:
    """To the page of the verdict, which is built where it is missing."""
    row = queries.validation(journal, number)
    if row is None or not row.page:
        raise HTTPException(404, f"The validation {number} has no page of Data Docs.")
    if not objects.reports(settings).exists(row.page):
        _build(settings, row)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/report/{quote(row.page)}")


def _build(settings: Settings, row: Row[Any]) -> None:
    if not _BUILDING.acquire(blocking=False):
        raise HTTPException(503, "Other Data Docs are being built; try again in a few seconds.")
    try:
        ended = subprocess.run(
            [*settings.stage_command, "docs", row.case_name, "--interval", row.interval],
            # Airflow's own settings hold its secrets: they stay here.
            env={n: v for n, v in os.environ.items() if not n.startswith("AIRFLOW__")},
            timeout=_SECONDS,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HTTPException(504, f"Data Docs were not built within {_SECONDS} s.") from error
    finally:
        _BUILDING.release()
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or [f"exit {ended.returncode}"]
        raise HTTPException(404, f"Data Docs could not be built: {said[-1]}")
