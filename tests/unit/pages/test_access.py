"""Only people who are logged in see anything; reports come from one folder, and can do nothing."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace as Row

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from millrace_pages import quarantine, site
from millrace_pages.app import PAGES, create
from millrace_pages.quarantined import QuarantinedRow
from starlette.routing import Match

from pipelines.core.settings import Settings

HOSTILE = "</pre><script>alert(1)</script>"
BROWSER = {"accept": "text/html"}


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "airflow_admin").write_text("canary")
    (tmp_path / "secrets" / "page.html").write_text("canary")
    reports = tmp_path / "reports" / "drift"
    reports.mkdir(parents=True)
    (reports / "good.html").write_text("<h1>A report</h1>")
    (tmp_path / "reports" / "gx").mkdir()
    (tmp_path / "reports" / "gx" / "page.html").write_text(f"<h1>Data Docs</h1>{HOSTILE}")
    (reports / "notes.txt").write_text("canary")
    (reports / "link.html").symlink_to(tmp_path / "secrets" / "page.html")
    (reports / "linked").symlink_to(tmp_path / "secrets")
    return create(Settings(home=tmp_path))


def client(pages):
    """As Airflow mounts it."""
    root = FastAPI()
    root.mount("/millrace", pages)
    return TestClient(root, base_url="http://testserver/millrace/", raise_server_exceptions=False)


@pytest.fixture
def stranger(pages):
    return client(pages)


@pytest.fixture
def person(pages):
    pages.dependency_overrides[get_user] = lambda: "somebody"
    return client(pages)


ADDRESSES = [
    *(page.path for page in PAGES),
    "/validation/1",
    "/validation/1/docs",
    "/drift/1",
    "/data/gold.x",
    "/report/drift/good.html",
    "/files/drift/good.html",
    "/static/style.css",
    "/static/none",
    "/docs",
    "/openapi.json",
    "/nowhere",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_s07_a_stranger_gets_nothing(stranger, address, method):
    answer = stranger.request(method, address.lstrip("/"), headers=BROWSER)
    assert answer.status_code == 401
    if method != "HEAD":
        assert "log in to Airflow" in answer.text
    assert "report" not in answer.text.lower()


def test_a_program_without_a_login_is_told_in_plain_text(stranger):
    answer = stranger.get("runs")
    assert (answer.status_code, answer.text) == (401, "log in to Airflow\n")


def test_every_route_asks_for_the_login(pages):
    for route in pages.routes:
        asked = [each.call for each in route.dependant.dependencies]
        assert get_user in asked, route.path


def test_the_last_route_takes_every_address(pages):
    scope = {"type": "http", "path": "/no/such/page", "method": "TRACE"}
    assert pages.routes[-1].matches(scope)[0] != Match.NONE


@pytest.mark.parametrize(
    "name",
    [
        "../secrets/page.html",
        "..%2Fsecrets%2Fpage.html",
        "%2e%2e/secrets/page.html",
        "drift/../../secrets/page.html",
        "drift/..%2f..%2fsecrets%2fpage.html",
        "drift/link.html",
        "drift/linked/page.html",
        "drift/notes.txt",
        "drift",
        "",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "drift/good.html%00",
        "drift/" + "a" * 5000 + ".html",
    ],
)
@pytest.mark.parametrize("place", ["files", "report"])
def test_s07_only_reports_are_served(person, place, name):
    answer = person.get(f"http://testserver/millrace/{place}/{name}")
    assert answer.status_code == 404
    assert "canary" not in answer.text


def test_s07_a_report_runs_alone_in_its_frame(person):
    answer = person.get("files/drift/good.html")
    assert answer.text == "<h1>A report</h1>"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"sandbox allow-scripts$", policy)
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-frame-options" not in answer.headers
    around = person.get("report/drift/good.html")
    assert 'sandbox="allow-scripts" src="/millrace/files/drift/good.html"' in around.text


def test_b30_in_data_docs_no_script_runs(person):
    """Great Expectations writes samples of bad values as they are."""
    answer = person.get("files/gx/page.html")
    assert HOSTILE in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert re.search(r"; sandbox$", policy)
    around = person.get("report/gx/page.html")
    assert 'sandbox="" src="/millrace/files/gx/page.html"' in around.text


def test_our_own_pages_run_no_script_but_ours(person):
    answer = person.get("report/drift/good.html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "x-frame-options" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_an_error_is_a_page_in_words(pages, person):
    pages.dependency_overrides[site.journal] = lambda: None
    answer = person.get("nowhere<b>")
    assert answer.status_code == 404
    assert "There is no page &#39;nowhere&lt;b&gt;&#39;." in answer.text
    nope = person.get("runs?case=nope")
    assert nope.status_code == 404
    assert "There is no case &#39;nope&#39;; there is " in nope.text
    assert "flight_delays" in nope.text
    assert person.get("runs?page=0").status_code == 422


def test_b30_a_quarantined_script_is_text(pages, person, monkeypatch):
    row = QuarantinedRow(
        known_at=datetime(2026, 11, 20, tzinfo=UTC),
        source_file=f"x/{HOSTILE}",
        source_line=3,
        reasons=(f"tail: '{HOSTILE}' is not an int",),
        raw=f'{{"tail": "{HOSTILE}"}}',
    )
    state = quarantine.FeedState("movements", Row(rows=1, version=1), None)
    pages.dependency_overrides[site.journal] = lambda: None
    monkeypatch.setattr(quarantine, "_states", lambda *_: [state])
    monkeypatch.setattr(quarantine.Asked, "of", lambda *_: [row])
    answer = person.get("quarantine", params={"reason": f'"{HOSTILE}'})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4
