"""The trigger form as a person fills it, in the real Airflow with a real browser."""

from urllib.parse import quote

import pytest

from tests.browsing import SECTION, launched, login, visit
from tests.orchestration.conftest import CASE
from tests.orchestration.flow import dag, settle, succeed
from tests.stages import DATA


@pytest.fixture
def page(client, settings):
    with launched() as browser, visit(browser, settings, login(settings)) as context:
        context.set_default_timeout(180_000)
        yield context.new_page()


def test_a_day_triggered_by_its_form_is_built_and_its_task_has_a_button(
    client, settings, stub, page
):
    day, night = "2026-06-01", dag("build_features")
    before = client.runs(night)
    page.goto(f"{settings.airflow_api}/dags/{night}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    form.locator("#element_day").fill(day)
    form.get_by_test_id("trigger-dag-submit").click()
    form.wait_for(state="hidden")
    # After a backfill Airflow makes scheduled runs, too.
    made = [each for each in client.runs(night) if each not in before]
    (run,) = [each for each in made if each.run_id.startswith("manual__")]
    succeed(client, run)
    assert [stage for stage in stub.stages(day) if stage in DATA] == list(DATA)
    made = quote(run.run_id, safe="")
    answer = client.http.get(f"/dags/{night}/dagRuns/{made}/taskInstances/validate_raw/links")
    (link,) = answer.json()["extra_links"].values()
    assert link == f"{SECTION}/millrace/validation?case={CASE.name}&interval={day}"
    settle(client, day)
