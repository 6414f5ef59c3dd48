"""The section Millrace in the real Airflow, looked at with a real browser.

Each page in light and dark, wide and narrow: no error on the console, no request that failed or
left this machine, nothing that axe calls serious. A task's button leads to what it made.
How a run is started from the form is shown by the orchestration tier.
"""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from millrace_pages.app import PAGES

from pipelines.stores import airflow, objects
from tests.browsing import PICTURES, SECTION, reached, serious, visit, watch
from tests.loans import NAME

# The pictures are of the case that a newcomer finds; the other tests' platform has its own.
CASE, STATE = (
    ("flight_delays", "origin_states.departure_delay_minutes_mean_3h")
    if PICTURES
    else (NAME, "segment_states.label_rate_7d")
)
HISTORY, NIGHT = f"{CASE}.load_history", f"{CASE}.build_features"
ADDRESSES = [page.path for page in PAGES]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# The pictures in README and docs: where each is taken, and what must be on it.
PICTURED = {
    "airflow": ("/dags", f"{CASE}.watch_drift"),
    "overview": (SECTION, "Newest runs"),
    "models": (f"{SECTION}/millrace/models", "What the gate said"),
    "lineage": (
        f"{SECTION}/millrace/lineage?at=gold.{CASE}_{STATE}",
        "Comes from",
    ),
}


@pytest.fixture(scope="module")
def history(client: airflow.Airflow) -> airflow.DagRun:
    """The run that loaded the days before yesterday."""
    return client.runs(HISTORY, state=("success",))[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_page_is_whole(browser, platform, token, history, scheme, size):
    with visit(browser, platform, token, scheme, viewport=size) as context:
        page = context.new_page()
        wrong = watch(page, platform.airflow_api)
        for address in ADDRESSES:
            page.goto(f"{platform.airflow_api}/millrace{address}", wait_until="networkidle")
            assert page.locator("h1").count() == 1, address
            assert page.evaluate("document.documentElement.dataset.theme") == scheme
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{address} is {wider} px too wide"
            assert serious(page) == [], address
            assert wrong == [], address


@pytest.mark.parametrize("name", PICTURED)
def test_the_pictures_of_the_docs(browser, platform, token, history, tmp_path, name):
    """On the platform that is up, and into docs/images, by `make pictures`."""
    address, text = PICTURED[name]
    with visit(browser, platform, token, viewport={"width": 1440, "height": 1010}) as context:
        page = context.new_page()
        wrong = watch(page, platform.airflow_api)
        page.goto(f"{platform.airflow_api}{address}", wait_until="networkidle")
        content = page.frame_locator("iframe[title=Millrace]") if SECTION in address else page
        content.get_by_text(text, exact=True).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(PICTURES or tmp_path) / f"{name}.png")
        assert wrong == []


def test_findings_are_whole_and_link_to_data_docs_once_built(
    browser, platform, token, history, started
):
    with visit(browser, platform, token) as context:
        page = context.new_page()
        wrong = watch(page, platform.airflow_api)
        page.goto(f"{platform.airflow_api}/millrace/validation", wait_until="networkidle")
        verdicts = page.get_by_role("region", name="Verdicts", exact=True)
        verdicts.get_by_role("link").first.click()
        page.get_by_role("region", name="Expectations").get_by_text("passed").first.wait_for()
        assert serious(page) == []
        assert wrong == []
        _, *words = page.locator("code", has_text="millrace docs").inner_text().split()
        started.call(*words)
        page.reload(wait_until="networkidle")
        # Great Expectations' own page asks other servers for its look, which its frame forbids.
        left = reached(page, platform.airflow_api)
        page.get_by_role("link", name="Data Docs").click()
        frame = page.frame_locator("iframe.report")
        assert "Evaluated Expectations" in frame.locator("body").inner_text()
        page.wait_for_load_state("networkidle")
        inner = next(each for each in page.frames if "/files/" in each.url)
        assert inner.evaluate("window.origin") == "null"
        assert left == []


def test_b30_no_script_of_the_data_runs_in_data_docs(browser, platform, token):
    """Great Expectations writes samples of bad values as they are."""
    says = "document.body.append('it ran')"
    markup = f'<p>shown</p><script>{says}</script><img src=x onerror="{says}">'
    objects.reports(platform).put("gx/hostile.html", markup)
    with visit(browser, platform, token) as context:
        page = context.new_page()
        page.goto(
            f"{platform.airflow_api}/millrace/report/gx/hostile.html", wait_until="networkidle"
        )
        assert page.frame_locator("iframe.report").locator("body").inner_text() == "shown"


def test_dbts_own_pages_are_whole(browser, platform, token, history):
    with visit(browser, platform, token) as context:
        page = context.new_page()
        wrong = watch(page, platform.airflow_api)
        page.goto(f"{platform.airflow_api}/millrace/data", wait_until="networkidle")
        page.get_by_role("link", name="dbt's pages").click()
        frame = page.frame_locator("iframe.report")
        for step in ("millrace", "models", CASE, "gold"):
            frame.locator(".filename-normal:visible", has_text=re.compile(f"^{step}$")).click()
        frame.get_by_text("_labels").locator("visible=true").first.click()
        frame.get_by_role("heading", name=f"{CASE}_labels").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert wrong == []


def test_airflow_shows_the_section_and_its_look_follows(browser, platform, token, history):
    with visit(browser, platform, token) as context:
        page = context.new_page()
        page.goto(f"{platform.airflow_api}{SECTION}")
        frame = page.frame_locator("iframe[title=Millrace]")
        frame.get_by_role("heading", name=CASE).wait_for()
        frame.get_by_role("link", name="Validation", exact=True).first.click()
        frame.get_by_role("heading", name="Validation").wait_for()
        page.wait_for_url(f"**{SECTION}/millrace/validation**")
        page.evaluate("localStorage.setItem('theme', 'dark')")
        frame.locator("html[data-theme=dark]").wait_for()


def test_a_task_leads_to_what_it_made(browser, platform, token, client):
    run = client.runs(NIGHT, state=("success",))[0]
    with visit(browser, platform, token) as context:
        page = context.new_page()
        made = quote(run.run_id, safe="")
        answer = client.http.get(f"/dags/{NIGHT}/dagRuns/{made}/taskInstances/validate_raw/links")
        (link,) = answer.json()["extra_links"].values()
        assert link.startswith(f"{SECTION}/millrace/validation?case={CASE}&interval=")
        page.goto(f"{platform.airflow_api}/dags/{NIGHT}/runs/{made}/tasks/validate_raw/details")
        page.get_by_role("link", name="Validation", exact=True).click()
        frame = page.frame_locator("iframe[title=Millrace]")
        rows = frame.get_by_role("region", name="Verdicts", exact=True).locator("tbody tr")
        rows.first.wait_for()
        assert {*rows.locator("td:nth-child(2)").all_inner_texts()} == {run.key}


def test_a_run_of_a_dag_has_its_stages_as_a_tab(browser, platform, token, history):
    with visit(browser, platform, token) as context:
        page = context.new_page()
        run = quote(history.run_id, safe="")
        page.goto(f"{platform.airflow_api}/dags/{HISTORY}/runs/{run}/plugin/millrace-run")
        frame = page.frame_locator("iframe[title=Reports]")
        stages = frame.locator("tbody tr td:nth-child(2)")
        stages.first.wait_for()
        assert {"ingest", "validate_raw", "materialize"} <= {*stages.all_inner_texts()}


@pytest.mark.parametrize("address", [*ADDRESSES, "/static/style.css", "/files/x.html", "/nowhere"])
def test_s07_a_stranger_gets_nothing(platform, token, address):
    url = f"{platform.airflow_api}/millrace{address}"
    assert httpx.get(url, timeout=30).status_code == 401
    for forged in ({"Cookie": "_token=forged"}, {"Authorization": "Bearer forged"}):
        answer = httpx.get(url, headers=forged, timeout=30)
        assert answer.status_code in {401, 403}
        assert answer.text == "log in to Airflow\n"
    theirs = {"Authorization": f"Bearer {token}"}
    assert httpx.get(url, headers=theirs, timeout=30).status_code in {200, 404}
