"""A real browser in the real Airflow: logged in, and watched for whatever goes wrong."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipelines.core.settings import Settings

SECTION = "/plugin/millrace"
# Where pictures of the platform that is up are kept; unset: the tests have a platform of their own.
PICTURES = os.environ.get("MILLRACE_TEST_PICTURES")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip


def chromium() -> str:
    """Where the browser is; no Python package brings one."""
    named = os.environ.get("MILLRACE_TEST_BROWSER")
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None or not Path(found).exists():
        pytest.skip(
            "there is no Chromium: install it (Debian, Ubuntu: apt-get install chromium), "
            "or name one in MILLRACE_TEST_BROWSER"
        )
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser for some tests; each visit is a profile of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
        started.close()


def login(platform: Settings) -> str:
    """The token of the administrator whose password was made at first start."""
    given = {"username": "admin", "password": platform.secret("airflow_admin")}
    answer = httpx.post(f"{platform.airflow_api}/auth/token", json=given, timeout=180)
    return str(answer.json()["access_token"])


@contextmanager
def visit(
    browser: Browser, platform: Settings, token: str, scheme: str = "light", **options: object
) -> Iterator[BrowserContext]:
    """A fresh browser whose visitor is logged in, as Airflow's own login leaves it."""
    context = browser.new_context(color_scheme=scheme, **options)  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "_token", "value": token, "url": platform.airflow_api}])
    yield context
    context.close()


def watch(page: Page, home: str) -> list[str]:
    """What goes wrong from here on: console, failed requests, anything from elsewhere."""
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on(
        "response",
        lambda got: wrong.append(f"{got.status}: {got.url}") if got.status >= 400 else None,
    )
    page.on(
        "request",
        lambda request: (
            None
            if urlsplit(request.url).scheme in {"data", "blob"}
            or request.url.startswith(f"{home}/")
            else wrong.append(f"from elsewhere: {request.url}")
        ),
    )
    return wrong


def reached(page: Page, home: str) -> list[str]:
    """Which other servers answer from here on: what a policy forbids is asked of none."""
    others: list[str] = []
    page.on(
        "response",
        lambda got: None if got.url.startswith(f"{home}/") else others.append(got.url),
    )
    return others


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:100] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
