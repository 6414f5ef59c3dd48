"""Report files, such as Evidently's pages and Data Docs: shown in a frame, served as they are."""

from pathlib import PurePosixPath

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import site
from millrace_pages.site import TheSettings
from pipelines.core.errors import BatchRefused
from pipelines.stores import objects
from pipelines.stores.objects import Objects

router = APIRouter()

# In an origin of its own, where no cookie of Airflow is; it can load nothing and send nothing.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
)
# Where a page is made of scripts, its own may run there. Nothing else needs one: Great
# Expectations' pages want theirs from other servers, and show samples of data.
_SCRIPTS = "script-src 'unsafe-inline' 'unsafe-eval'; worker-src blob:; "
_MADE_OF_SCRIPTS = ("drift", "dbt")


def sandbox(name: str) -> str:
    """What a report's frame allows.

    Example:
        >>> sandbox("drift/1.html"), sandbox("gx/1.html")
        ('allow-scripts', '')
    """
    return "allow-scripts" if PurePosixPath(name).parts[0] in _MADE_OF_SCRIPTS else ""


def policy(name: str) -> str:
    """The Content-Security-Policy of a report."""
    allowed = sandbox(name)
    return f"{_POLICY}{_SCRIPTS if allowed else ''}sandbox {allowed}".strip()


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
    content = find(objects.reports(settings), name)
    return HTMLResponse(content, headers={"Content-Security-Policy": policy(name)})


@router.get("/report/{name:path}")
def report(request: Request, name: str, settings: TheSettings) -> HTMLResponse:
    """The file in a frame, below the navigation."""
    find(objects.reports(settings), name)
    return site.draw(request, "report.html", name=name, sandbox=sandbox(name))
