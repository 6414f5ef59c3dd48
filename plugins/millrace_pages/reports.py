"""Report files, such as Data Docs and Evidently's pages: shown in a frame, served as they are."""

from pathlib import PurePosixPath

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import site
from millrace_pages.site import TheSettings
from pipelines.core.errors import BatchRefused
from pipelines.stores import objects
from pipelines.stores.objects import Objects

router = APIRouter()

# Scripts of the page itself may run, in an origin of its own, where no cookie of Airflow is; it
# can load nothing and send nothing anywhere.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; worker-src blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)


def find(reports: Objects, name: str) -> bytes:
    """The page of that name.

    Raises:
        HTTPException: there is none, or the name leads out of the reports or through a link.
    """
    try:
        if PurePosixPath(name).suffix == ".html":
            return reports.read_bytes(name)
    except (OSError, BatchRefused):
        pass
    raise HTTPException(404, "There is no such report; it may have been cleaned away.")


@router.get("/files/{name:path}")
def report_file(name: str, settings: TheSettings) -> HTMLResponse:
    """The page itself, read-only."""
    headers = {"Content-Security-Policy": _POLICY}
    return HTMLResponse(find(objects.reports(settings), name), headers=headers)


@router.get("/report/{name:path}")
def report(request: Request, name: str, settings: TheSettings) -> HTMLResponse:
    """The file in a frame, below the navigation."""
    find(objects.reports(settings), name)
    return site.draw(request, "report.html", name=name)
