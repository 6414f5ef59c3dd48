"""Report files, such as Data Docs and Evidently's pages: shown in a frame, served as they are."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse

from millrace_pages import site
from millrace_pages.site import TheSettings

router = APIRouter()

# Scripts of the page itself may run, in an origin of its own, where no cookie of Airflow is; it
# can load nothing and send nothing anywhere.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; worker-src blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)


def find(root: Path, name: str) -> Path:
    """The report of that name below a folder.

    Raises:
        HTTPException: there is none, or the name leads out of the folder or through a link.
    """
    path = root.resolve() / name
    try:
        safe = path.resolve(strict=True) == path and path.is_relative_to(root.resolve())
        if safe and path.is_file() and path.suffix == ".html":
            return path
    except (OSError, ValueError):
        pass
    raise HTTPException(404, "There is no such report; it may have been cleaned away.")


@router.get("/files/{name:path}")
def report_file(name: str, settings: TheSettings) -> FileResponse:
    """The file itself, read-only."""
    headers = {"Content-Security-Policy": _POLICY}
    return FileResponse(find(settings.reports, name), headers=headers)


@router.get("/report/{name:path}")
def report(request: Request, name: str, settings: TheSettings) -> HTMLResponse:
    """The file in a frame, below the navigation."""
    find(settings.reports, name)
    return site.draw(request, "report.html", name=name)
