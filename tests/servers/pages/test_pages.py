"""Each page says what the journal has, also after a year, and helps where there is nothing."""

import re
from dataclasses import replace
from html import unescape

import pytest

from pipelines import use_cases
from pipelines.use_cases.spec.discovery import BrokenCase, Cases
from tests.servers.pages import made_up

ADDRESSES = (
    "",
    "runs",
    "validation",
    "quarantine",
    "drift",
    "models",
    "answers",
    "features",
    "data",
    "lineage",
)
DETAILS = (
    "validation/7",
    "drift/7",
    "data/gold.flight_delays_labels",
    "data?interval=2026-01-01",
    "features/tail_states/last_departure_delay_minutes",
    "lineage/prediction",
)
# Where the made-up year has something hostile to show.
HOSTILE = (
    "runs?state=failed",
    f"validation/{49 * len(made_up.TABLES) + 1}",
    "quarantine",
    "drift",
    "drift/7",
    "models",
    "answers",
    "features/tail_states/last_flight_id",
    "lineage",
)


def text(answer):
    """What a reader sees, blanks as one."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_with_nothing_to_show_says_what_to_run(empty, address):
    shown = empty.get(address)
    assert "millrace " in text(shown) or "make run" in text(shown)
    assert 'class="empty"' in shown.text


@pytest.mark.parametrize("address", [*ADDRESSES, *DETAILS])
def test_a_page_is_there_after_a_year(year, address):
    shown = year.get(address)
    assert text(shown)
    assert 'class="empty"' not in shown.text


@pytest.mark.parametrize("address", [*ADDRESSES, *DETAILS, *HOSTILE])
def test_b30_what_came_from_data_is_text(year, address):
    shown = year.get(address).text
    assert made_up.HOSTILE not in shown
    assert ("&lt;script&gt;alert(1)&lt;/script&gt;" in shown) == (address in HOSTILE)


def test_the_overview_says_how_the_case_stands(year):
    shown = text(year.get(""))
    assert f"{made_up.NUM_BAD * made_up.NIGHTS:,}" in shown
    assert "Version 365" in shown  # the newest that was promoted: 364 is a multiple of 7
    assert "retraining is due" not in shown


def test_the_newest_runs_come_first_and_are_paged(year):
    first, second = year.get("runs"), year.get("runs?page=2")
    total = made_up.NIGHTS * len(made_up.STAGES)
    assert f"1 of {-(-total // 50)} ({total:,} rows)" in text(first)
    newest, older = (re.findall(r"<td>(\d+)</td>", shown.text) for shown in (first, second))
    assert [int(number) for number in newest + older] == list(range(total, total - 100, -1))


def test_runs_are_chosen_by_stage_state_interval_and_dag_run(year):
    key = made_up.key(49)
    failed = text(year.get(f"runs?stage=validate_raw&state=failed&interval={key}"))
    assert failed.count("CheckFailed") == 1
    failed = text(year.get(f"runs?state=failed&interval={key}"))
    assert failed.count("CheckFailed") == 4
    run = f"runs?dag=flight_delays.build_features&run=scheduled__{key}"
    assert len(re.findall(r'<td class="key">2026-01-08</td>', year.get(run).text)) == len(
        made_up.STAGES
    )
    assert key == "2026-01-08"
    # A pattern is no wildcard.
    assert "No attempt of a stage fits" in text(year.get("runs?dag=%25&run=%25"))


def test_a_run_is_found_among_the_newest_intervals_only_if_it_is_one(year):
    shown = year.get("validation").text
    assert "The newest 30 intervals" in text(year.get("validation"))
    assert f"{made_up.key(364)}: passed" in shown
    assert f"{made_up.key(334)}: " not in shown
    assert shown.count('class="cell failed" href') == 1  # night 349


def test_a_failed_table_shows_the_expectation_first(year):
    row = re.search(
        r'href="/millrace/validation/(\d+)">bronze', year.get("validation?state=failed").text
    )
    shown = year.get(f"validation/{row[1]}").text
    states = re.findall(r'<tr><td><span class="badge \w+">([\w ]+)</span>', shown)
    assert states == ["failed"] + ["passed"] * (made_up.NUM_EXPECTATIONS - 1)
    assert "such as &lt;script&gt;" in shown
    assert "<li>one&lt;script&gt;" in shown
    assert "<li>another</li>" in shown
    read = text(year.get(f"validation/{row[1]}"))
    assert f"1 of {made_up.NUM_EXPECTATIONS} expectations broken" in read
    assert "column values to not be null mostly 0.99" in read
    assert "it names the row" in read
    assert f"millrace docs {made_up.CASE.name} --interval" in read


def test_verdicts_and_their_inputs(year):
    listed = text(year.get("drift"))
    assert "1 of 8 (365 rows)" in listed
    assert "share of inputs: 60 values" in year.get("drift").text
    one = text(year.get("drift/2"))
    assert "made up, 1" in one
    assert "input_96" in one
    assert "(5 rows, 21%); gone &#39;north&#39; (9 rows, 3%)" in one
    assert "0.100 0.432 0.0% 10.0%" in one
    assert "0.100 \N{EN DASH} 0.0% 10.0%" in one  # of before, when verdicts kept no limits
    assert text(year.get(f"drift?interval={made_up.key(9)}")).count("made up,") == 1


def test_answers_are_of_the_newest_published_night_alone(year):
    shown = year.get("answers")
    (link,) = re.findall(r'href="/millrace/(lineage/prediction[^"]+)"', shown.text)
    assert "0.2500 365 Lineage" in text(shown)
    assert "models.flight_delays.late@365" in text(year.get(unescape(link)))
    assert "No answer is here." in text(year.get("answers?page=2"))


def test_versions_and_the_gates_answers_turn_their_pages_apart(year):
    shown = text(year.get("models?page=2&answers=3"))
    assert "2 of 8 (365 rows)" in shown
    assert "3 of 8 (365 rows)" in shown
    assert "24,119 evaluation rows" in shown
    assert (
        "http://127.0.0.1:5000/#/models/flight_delays.late/versions/315"
        in year.get("models?page=2").text
    )


def test_what_may_know_the_future_stands_with_the_versions(year, empty):
    shown = year.get("models")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; alone tells 0.990 (0.980 to 0.995)" in text(shown)
    assert f"for {made_up.key(364)} : 1 finding in tables as known at 1 instants" in text(shown)
    assert "millrace leaks flight_delays --model late" in text(empty.get("models"))


def test_tables_and_their_publications(year):
    shown = year.get("data").text
    assert shown.count("60 values") == len(made_up.TABLES)
    listed = text(year.get(f"data?interval={made_up.key(3)}"))
    assert all(table in listed for table in made_up.TABLES)
    assert "1 of 8 (365 rows)" in text(year.get(f"data/{made_up.TABLES[0]}"))
    assert year.get("data/gold.nothing").status_code == 404


def test_quarantined_rows_of_the_published_version(year):
    shown = year.get("quarantine")
    assert "movements/2026-11-19/movements.jsonl" in text(shown)
    # The night after was built, and is not published.
    assert "movements/2026-11-20/movements.jsonl" not in text(shown)
    assert "The build of 2026-11-20" in text(shown)
    assert shown.text.count("<pre") == 50
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text


def test_of_a_night_that_was_refused_its_build_is_shown(year):
    refused = made_up.key(made_up.NIGHTS)
    for feed in ("", "&feed=movements"):
        shown = year.get(f"quarantine?interval={refused}{feed}")
        assert "movements, as built, not published" in text(shown)
        assert shown.text.count("<pre") == made_up.NUM_BAD
    published = text(year.get(f"quarantine?interval={made_up.key(7)}"))
    assert "as built, not published" not in published


def test_a_run_of_a_dag_is_shown_in_its_own_case(year, monkeypatch):
    found = use_cases.load().found | {"other": replace(made_up.CASE, name="other")}
    monkeypatch.setattr(use_cases, "load", lambda: Cases(found, {}))
    shown = year.get("runs?dag=other.build_features&run=manual").text
    assert re.findall(r"<option selected>(\w+)", shown) == ["other"]
    assert 'href="/millrace/drift?case=other"' in shown
    # What is named by its number is of one case: there is none to choose.
    assert "<select" not in year.get("drift/7").text


def test_a_case_that_can_not_be_loaded_is_an_entry_of_its_own(year, monkeypatch):
    error = "SyntaxError: '(' was never closed <b>"
    broken = {"loans": BrokenCase("loans", "pipelines/use_cases/loans.py", 12, error)}
    there = Cases(use_cases.load().found, broken)
    monkeypatch.setattr(use_cases, "load", lambda: there)
    overview = year.get("")
    assert "pipelines/use_cases/loans.py, line 12" in text(overview)
    assert "never closed &lt;b&gt;" in overview.text
    assert "Features known until" in text(overview)
    # Nobody can choose it; who names it, is told.
    assert '<select id="case"' not in year.get("runs").text
    refused = year.get("runs?case=loans")
    assert refused.status_code == 404
    assert "loans can't be loaded: pipelines/use_cases/loans.py, line 12" in unescape(refused.text)


def test_quarantined_rows_by_page_interval_and_reason(year):
    total, page = made_up.NUM_BAD * made_up.NIGHTS, 50
    last = -(-total // page)
    assert year.get(f"quarantine?page={last}").text.count("<pre") == total - page * (last - 1)
    assert "No row fits" in text(year.get(f"quarantine?page={last + 1}"))
    one = year.get(f"quarantine?feed=movements&interval={made_up.key(7)}")
    assert one.text.count("<pre") == made_up.NUM_BAD
    assert year.get("quarantine?reason=is+not+an+int&page=2").text.count("<pre") == page
    assert "No row fits" in text(year.get("quarantine?reason=is+not+a+double"))
    assert "is not a day" in year.get("quarantine?interval=2026-8-3").text
    assert "2026-11-20/movements" in text(year.get("quarantine?built=true&feed=movements"))


def test_a_prediction_is_followed_through_a_year_of_nights(year):
    shown = text(year.get("lineage/prediction"))
    assert "models.flight_delays.late@365 learned up to 2026-11-20" in shown
    assert "gold.flight_delays_training_set@365 365 parts, 2025-11-20 ... 2026-11-19" in shown
    files = "flight_delays/movements/{}/movements.jsonl"
    assert f"365 files, {files.format('2025-11-20')} ... {files.format('2026-11-19')}" in shown


def test_an_unknown_number_is_said_in_words(year):
    for address in ("validation/999999", "drift/999999"):
        answer = year.get(address)
        assert answer.status_code == 404
        assert "999999" in answer.text
    assert year.get(f"validation/{10**30}").status_code in {404, 422}


def test_a_feature_says_what_it_is_how_fresh_and_how_it_was_each_day(year):
    listed = text(year.get("features"))
    assert "Of origin, every 15 min 0 s; it counts for 1 h 0 min." in listed
    assert "temperature_fahrenheit" in listed
    newest = made_up.night(made_up.NIGHTS - 1)
    shown = text(year.get("features/tail_states/last_departure_delay_minutes"))
    assert "minutes" in shown
    assert f"Published until {newest:%Y-%m-%d %H:%M} UTC" in shown
    # Of three states one is missing, the others are the night's number and twice that.
    number = made_up.NIGHTS - 1
    assert f"{made_up.key(number)} 3 33.3% {1.5 * number:.3f}" in shown
    assert f"{number:.3f} {2 * number:.3f} 2" in shown
    assert len(re.findall(r"20\d\d-\d\d-\d\d 3 33.3%", shown)) == 30
    assert year.get("features/tail_states/none").status_code == 404
    assert year.get("features/none/last_flight_id").status_code == 404
