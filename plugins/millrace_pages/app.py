"""The app: its pages in the order of the navigation, behind Airflow's login."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from sqlalchemy.exc import OperationalError

from millrace_pages import (
    access,
    answers,
    data,
    drift,
    features,
    lineage,
    models,
    overview,
    quarantine,
    reports,
    runs,
    site,
    validation,
)
from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings

log = logging.getLogger(__name__)

PAGES = (
    overview.PAGE,
    runs.PAGE,
    validation.PAGE,
    quarantine.PAGE,
    drift.PAGE,
    models.PAGE,
    answers.PAGE,
    features.PAGE,
    data.PAGE,
    lineage.PAGE,
)

_STATIC = {path.name: path for path in (site.FOLDER / "static").iterdir()}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# Nothing from elsewhere, no script inside a page; Airflow shows the pages in frames of its own.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

rest = APIRouter()


def create(settings: Settings) -> FastAPI:
    """The app of one platform; it opens nothing before the first visit."""
    app = FastAPI(
        title="Millrace",
        dependencies=[access.LOGGED_IN],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.settings, app.state.templates, app.state.pages = settings, site.templates(), PAGES
    for page in PAGES:
        app.include_router(page.router)
    for others in (reports.router, rest):
        app.include_router(others)
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _bad_address)  # type: ignore[arg-type]
    app.add_exception_handler(OperationalError, _no_journal)
    app.add_exception_handler(MillraceError, _in_words)
    app.middleware("http")(_with_headers)
    return app


@rest.get("/static/{name}")
def static(name: str) -> FileResponse:
    """The stylesheet and the script."""
    if name not in _STATIC:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(_STATIC[name])


@rest.api_route("/{path:path}", methods=_METHODS)
def nothing_there(path: str) -> None:
    """Last of all routes, so that an unknown address asks for the login, too."""
    raise HTTPException(404, f"There is no page {path!r}.")


async def _with_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _error(request: Request, status: int, said: str) -> Response:
    answer = site.draw(request, "error.html", said=said)
    answer.status_code = status
    return answer


async def _http_error(request: Request, error: HTTPException) -> Response:
    return access.refusal(request, error) or _error(request, error.status_code, str(error.detail))


async def _bad_address(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    return _error(request, 422, f"{first['loc'][-1]}: {first['msg']}")


async def _no_journal(request: Request, error: Exception) -> Response:
    log.warning("no journal: %s", error)
    return _error(
        request, 503, "PostgreSQL does not answer, and the journal is there. See `millrace status`."
    )


async def _in_words(request: Request, error: Exception) -> Response:
    return _error(request, 400, str(error))
