"""Somebody with only the browser can say why: of a row, of a prediction, of the champion."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, select

from pipelines.core import journal
from pipelines.core.settings import ROOT, Settings
from tests.browsing import SECTION, visit
from tests.loans import BROKEN, NAME, ROWS_A_DAY, Loans
from tests.platform.conftest import OTHER_CASE, Started

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator


@pytest.fixture(scope="module")
def two_cases(started: Started, made: Loans) -> None:
    """After the first run there is one more case, to choose from; nothing is started again."""
    shutil.copy(ROOT / OTHER_CASE, made.project / OTHER_CASE)


@pytest.fixture
def stranger(two_cases, browser, platform: Settings, token: str) -> "Iterator[FrameLocator]":
    """Somebody who knows Airflow's address and its password, at the case's overview."""
    with visit(browser, platform, token) as context:
        page = context.new_page()
        page.goto(f"{platform.airflow_api}{SECTION}")
        section = page.frame_locator("iframe[title=Millrace]")
        section.get_by_role("heading", name=NAME).wait_for()
        yield section


def follow_link(section: "FrameLocator", name: str, heading: str) -> None:
    section.get_by_role("link", name=name, exact=True).click()
    section.get_by_role("heading", name=heading, exact=True).wait_for()


def of_the_case(section: "FrameLocator", name: str) -> None:
    """Go to a page of the section, and there to this case."""
    follow_link(section, name, name)
    section.get_by_label("Case").select_option(NAME)
    section.get_by_role("button", name="Show").first.click()
    section.locator(f"option[selected]:text-is('{NAME}')").wait_for(state="attached")


def test_b30_a_stranger_sees_why_a_row_was_quarantined(stranger: "FrameLocator", made) -> None:
    of_the_case(stranger, "Quarantine")
    (row,) = stranger.locator("ul.rows > li").all()
    assert row.locator(".reasons").inner_text() == "amount: '<b>plenty</b>' is not a double"
    # Where it stands in the source: after a header, and the rows of all days.
    days = [*made.history, *made.calm, *made.drifted]
    where = f"{NAME}.csv, line {len(days) * ROWS_A_DAY + 2}"
    assert row.locator(".where").inner_text() == where
    raw = row.locator("pre").inner_text()
    assert all(text in raw for text in BROKEN.values())
    assert row.locator("b").count() == 0


def test_a_stranger_sees_which_landing_file_a_prediction_came_from(
    stranger: "FrameLocator", platform: Settings
) -> None:
    of_the_case(stranger, "Lineage")
    follow_link(
        stranger, "What was the newest prediction made of?", "What a prediction was made of"
    )
    said = stranger.locator("pre").inner_text()
    files = re.findall(rf"landing\.{NAME}_rows\S+ .*?({NAME}/\S+) \.\.\. ({NAME}/\S+)", said)
    assert files
    for part, name in (file.rsplit("/", 1) for pair in files for file in pair):
        assert len(list(Path(platform.objects.landing, part).glob(f"*/{name}"))) == 1


def test_a_stranger_sees_why_the_champion_won(stranger: "FrameLocator", engine: Engine) -> None:
    table = journal.promotions
    with engine.connect() as connection:
        (won, *_) = connection.execute(
            select(table)
            .where(table.c.case_name == NAME, table.c.decision == "promoted")
            .order_by(table.c.id.desc())
        ).all()
    of_the_case(stranger, "Models")
    versions = stranger.get_by_role("region", name="Versions").locator("tbody tr")
    champion = versions.filter(has_text="champion").locator("td")
    assert champion.first.inner_text() == str(won.version)
    answers = stranger.get_by_role("region", name="Answers of the gate").locator("tbody tr")
    told = answers.filter(has_text=won.reason).filter(has_text="promoted")
    assert told.locator("td").nth(1).inner_text() == str(won.version)
    rows = f"{won.evidence['num_rows']:,} evaluation rows"
    assert rows in told.locator("td").nth(5).inner_text()
    assert won.reason.startswith(f"ROC AUC {won.value:.3f} (")
