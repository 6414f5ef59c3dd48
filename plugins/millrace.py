"""The section *Millrace* of Airflow's UI: one app, one entry of the navigation.

Every process of Airflow loads this file, so it imports next to nothing: the pages are made at the
first visit, in the process that is visited.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, TypeAlias

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/millrace"
_ICONS = {
    "icon": f"{PREFIX}/static/icon.svg",
    "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
}

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Scope]]
Send: TypeAlias = Callable[[Scope], Awaitable[None]]


@cache
def _pages() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    from millrace_pages.app import create

    from pipelines.core.settings import Settings

    return create(Settings())


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The pages; each of their addresses asks for Airflow's login itself."""
    await _pages()(scope, receive, send)


class MillracePlugin(AirflowPlugin):
    """What Airflow is told: where the app is mounted, and where it is shown."""

    name = "millrace"
    fastapi_apps = [{"app": app, "url_prefix": PREFIX, "name": "Millrace"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012  (a list, as Airflow says)
        {
            "name": "Millrace",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "millrace",
            "nav_top_level": True,
            **_ICONS,
        },
        {
            "name": "Reports",
            "href": f"{PREFIX}/runs?dag={{DAG_ID}}&run={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "millrace-run",
            **_ICONS,
        },
    ]
