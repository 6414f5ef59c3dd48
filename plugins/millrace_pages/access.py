"""Who may look: people logged in to Airflow, and nobody else."""

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

# On every route of the app: Airflow itself asks for no login before an app of a plugin.
LOGGED_IN = Depends(get_user)

_REFUSED = (401, 403)

# No stylesheet of ours: whoever sees this may not even load that.
_LOG_IN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in</title>
<meta name="viewport" content="width=device-width">
<h1>Please log in to Airflow</h1>
<p>These pages are for people who are logged in. <a href="/">Log in</a>, then come back.</p></html>
"""


def refusal(request: Request, error: HTTPException) -> Response | None:
    """What a visitor without a valid login gets; None: the error is another one."""
    if error.status_code not in _REFUSED:
        return None
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_LOG_IN, error.status_code)
    return PlainTextResponse("log in to Airflow\n", error.status_code)
