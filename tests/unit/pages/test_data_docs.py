"""Data Docs are built by another process when somebody first asks, and served from then on."""

import json
import sys
from types import SimpleNamespace as Row

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from millrace_pages import data_docs, queries, site
from millrace_pages.app import create

from pipelines.core.settings import Settings

PAGE = "gx/loans/2026-11/docs/2026-11-20/validations/bronze/loans_rows/x.html"
ROW = Row(case_name="loans", interval="2026-11-20", page=PAGE)
# Kept by an earlier version, which made pages at every check.
OLD_PAGE = "gx/loans/2026-11/pages/validations/bronze/loans_rows/x.html"
ROWS = {1: ROW, 2: Row(**{**vars(ROW), "page": None}), 3: Row(**{**vars(ROW), "page": OLD_PAGE})}
# In place of `millrace`: what it is told goes into the page, and which secrets it sees.
BUILDER = """
import json, os, sys
page = sys.argv.pop(1)
os.makedirs(os.path.dirname(page))
secrets = [name for name in os.environ if name.startswith("AIRFLOW__")]
open(page, "w").write(json.dumps([sys.argv[1:], secrets]))
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Asks for the Data Docs of the validation 1, by this command in place of `millrace`."""
    monkeypatch.setattr(queries, "validation", lambda _, number: ROWS.get(number))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "canary")

    def ask(code, number=1):
        command = (sys.executable, "-c", code, str(tmp_path / "reports" / PAGE))
        pages = create(Settings(home=tmp_path, stage_command=command))
        pages.dependency_overrides |= {get_user: lambda: "somebody", site.journal: lambda: None}
        root = FastAPI()
        root.mount("/millrace", pages)
        client = TestClient(root, follow_redirects=False)
        return client.get(f"/millrace/validation/{number}/docs")

    return ask


def test_what_nobody_has_asked_for_yet_is_built_and_then_stays(asked, tmp_path):
    answer = asked(BUILDER)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/millrace/report/{PAGE}")
    made = (tmp_path / "reports" / PAGE).read_text()
    assert json.loads(made) == [["docs", "loans", "--interval", "2026-11-20"], []]
    again = asked("raise SystemExit('must not run')")
    assert again.headers["location"] == f"/millrace/report/{PAGE}"


def test_a_page_that_an_earlier_version_kept_is_served_as_it_is(asked, tmp_path):
    page = tmp_path / "reports" / OLD_PAGE
    page.parent.mkdir(parents=True)
    page.write_text("kept")
    answer = asked("raise SystemExit('must not run')", number=3)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/millrace/report/{OLD_PAGE}")


def test_what_can_not_be_built_is_said_in_words(asked):
    answer = asked("raise SystemExit('millrace: no check of <b> has kept a result')")
    assert answer.status_code == 404
    assert "no check of &lt;b&gt; has kept a result" in answer.text
    assert "no page of Data Docs" in asked("", number=2).text
    assert "no page of Data Docs" in asked("", number=4).text


def test_one_is_built_at_a_time_and_no_longer_than_it_may(asked, monkeypatch):
    with data_docs._BUILDING:
        assert asked(BUILDER).status_code == 503
    monkeypatch.setattr(data_docs, "_SECONDS", 0.2)
    assert asked("import time; time.sleep(60)").status_code == 504
    assert not data_docs._BUILDING.locked()
