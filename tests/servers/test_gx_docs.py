"""Results are kept as Great Expectations' own, and its Data Docs are built of them when asked."""

import re
from pathlib import Path

import pandas as pd
import pytest

from expectations.rules import Between, Matches
from pipelines.core.errors import UsageError
from pipelines.data.validate.check import judge
from pipelines.stores import gx, gx_docs
from pipelines.stores.gx_docs import Kept
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval

pytestmark = [
    pytest.mark.usefixtures("great_expectations"),
    # Its successor writes values as Python's repr, which Spark reads otherwise.
    pytest.mark.filterwarnings("ignore:.*deprecated as of GX Core 1.9:DeprecationWarning"),
]

KEPT = Kept("case", Interval.parse("2026-11-20"))
RULES = (
    Between("number", 0, 1, because="a share"),
    Matches("name", "[a-z]+", because="names are <letters>"),
)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def reports(tmp_path: Path) -> Objects:
    return Objects.at(str(tmp_path / "reports"))


def check(run: Path, reports: Objects, kept: Kept = KEPT, name: str = HOSTILE) -> tuple[str, str]:
    """A check of one table; its state, and where its page is once it is built."""
    frame = pd.DataFrame({"number": [0.5], "name": [name]})
    batch = gx.Batch("t.rows", frame, [rule.to_expectation() for rule in RULES])
    results = gx.validate(gx.open_context(run), [batch], kept.run_name("raw", 7))
    pages = gx_docs.keep(run, reports, kept)
    assert pages.keys() == {"t.rows"}
    return judge("t.rows", results["t.rows"]).state, pages["t.rows"]


def test_a_check_keeps_results_and_builds_no_page(tmp_path: Path, reports: Objects) -> None:
    _, page = check(tmp_path / "run", reports)
    (result,) = reports.names()
    assert result.startswith("gx/case/2026-11/results/t/rows/2026-11-20.raw.7/")
    assert '"success": false' in reports.read_text(result)
    assert page.startswith("gx/case/2026-11/docs/2026-11-20/validations/t/rows/2026-11-20.raw.7/")


def test_data_docs_are_great_expectations_own_and_where_the_journal_says(
    tmp_path: Path, reports: Objects
) -> None:
    _, page = check(tmp_path / "run", reports)
    before = reports.names()
    index = gx_docs.build(reports, KEPT)
    text = reports.read_text(page)
    assert "Evaluated Expectations" in text
    assert "Show more info..." in text
    own = Path(page.removeprefix(f"{KEPT.docs}/"))
    assert str(own) in reports.read_text(index)
    # Its look, beside the pages.
    assert f"{KEPT.docs}/static/styles/data_docs_default_styles.css" in reports.names()
    assert set(before) < set(reports.names())


def test_b30_data_docs_escape_markup_in_values(tmp_path: Path, reports: Objects) -> None:
    _, page = check(tmp_path / "run", reports)
    gx_docs.build(reports, KEPT)
    text = reports.read_text(page)
    assert "&lt;script&gt;alert(1)" in text
    assert HOSTILE not in text


def test_data_docs_are_of_the_interval_that_was_asked(tmp_path: Path, reports: Objects) -> None:
    other = Kept("case", Interval.parse("2026-11-20/2026-11-21"))
    check(tmp_path / "a", reports)
    _, page = check(tmp_path / "b", reports, other)
    gx_docs.build(reports, other)
    built = [name for name in reports.names() if re.search(r"/validations/.*html$", name)]
    assert built == [page]
    nothing = Kept("case", Interval.parse("2026-11-21"))
    with pytest.raises(UsageError, match="no check of case 2026-11-21 has kept a result"):
        gx_docs.build(reports, nothing)


def test_a_page_that_cannot_be_made_takes_no_verdict_and_no_other_page_with_it(
    tmp_path: Path, reports: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    state, page = check(tmp_path / "run", reports, name="good")
    # As it does where a metric could not be computed.
    monkeypatch.setattr(ValidationResultsPageRenderer, "render", lambda *_: {}["observed_value"])
    index = gx_docs.build(reports, KEPT)
    assert state == "passed"
    assert not reports.exists(page)
    assert reports.exists(index)
