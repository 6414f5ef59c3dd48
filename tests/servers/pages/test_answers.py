"""The page of answers: lists and forecasts from a lake, read without an engine."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import quote

from millrace_pages import answers

from pipelines import use_cases
from pipelines.insight.lineage.predictions import key_in_words
from pipelines.use_cases.spec.discovery import Cases
from tests.servers.pages import made_up_answers
from tests.servers.pages.test_pages import text


def table(answer, name):
    """The cells of one table, a list a row."""
    of = re.search(rf'aria-label="{name}">(.*?)</table>', answer.text, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", of, re.DOTALL)[1:]
    cells = (re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows)
    plain = [[re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in row] for row in cells]
    return [[" ".join(unescape(cell).split()) for cell in row] for row in plain]


def test_a_list_is_shown_with_names_and_what_was_taken(answered):
    shown = answered.get("answers?case=picks")
    rows = table(shown, "The list, best first")
    hostile = made_up_answers.HOSTILE
    assert rows[0] == ["1", f"Film 1 {hostile} 1", "1.000", "\N{EN DASH}"]
    assert rows[1] == ["2", f"Film 2 {hostile} 2", "0.938", "afterwards"]
    assert rows[2] == ["3", f"Film 3 {hostile} 3", "0.875", "before"]
    assert len(rows) == 10
    read = unescape(text(shown))
    assert "by version 2" in read  # the list that was said last
    assert f"Afterwards: films_taken_next_7d Film 2 {hostile}, unlisted" in read  # newest label
    assert "Before: history old 0, old 1," in read
    assert "old 9 and 191 more" in read
    assert "popularity 0.7500" in read
    assert "is_fallback no" in read


def test_b30_names_of_items_and_people_are_text(answered):
    of = quote(key_in_words([made_up_answers.PEOPLE[1]]))
    shown = answered.get(f"answers?case=picks&of={of}").text
    assert made_up_answers.HOSTILE not in shown
    for name in ("Film 4", "<h2>person bob"):
        assert f"{name} &lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_another_persons_list_without_labels_and_items_without_names(answered):
    shown = answered.get("answers?case=picks&of=cleo")
    rows = table(shown, "The list, best first")
    assert [row[1].split()[-1] for row in rows] == [str(number) for number in range(3, 13)]
    assert {row[3] for row in rows} == {"no label"}
    read = text(shown)
    assert "No label is known: " in read
    assert "is_fallback yes" in read
    assert "Before: history none" in read
    nobody = text(answered.get("answers?case=picks&of=dora"))
    assert "No answer about dora. 3 have one." in nobody


def test_any_task_has_a_table_of_what_was_said_last(answered, monkeypatch):
    monkeypatch.setattr(answers, "KINDS", {})
    rows = table(answered.get("answers?case=picks"), "Answers")
    assert [row[0].split()[0] for row in rows] == ["ada", "bob", "cleo"]
    assert [row[-2] for row in rows] == ["2"] * 3
    assert rows[0][3] == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
    assert rows[0][5:8] == ["0.7500", "0.1000", "no"]


def test_names_that_are_nowhere_are_said_in_words(answered, monkeypatch):
    picks = made_up_answers.PICKS
    (model,) = picks.models
    wrong = replace(picks, models=(replace(model, item_names="gold.candidates.headline"),))
    monkeypatch.setattr(use_cases, "load", lambda: Cases({"picks": wrong}, {}))
    refused = answered.get("answers?case=picks")
    assert refused.status_code == 400
    assert "gold.picks_candidates has no headline" in refused.text


def test_a_forecast_is_a_picture_and_the_same_numbers_as_tables(answered):
    shown = answered.get("answers?case=ahead")
    assert '<option value="north,all" selected>north, all</option>' in shown.text
    ahead, before = table(shown, "Ahead"), table(shown, "Before")
    assert ahead[0] == [
        "2026-11-20 05:00", "29.77", "32.60", "35.43", "28.60", "published", "31.60",
    ]  # fmt: skip
    assert ahead[-1][5:] == ["not published", "\N{EN DASH}"]
    assert (len(ahead), len(before)) == (38, 38)
    assert before[-1] == ["2026-11-19 23:00", "16.90"]
    assert "plan published until here" in text(shown)
    assert "medians from 9 to 33" in shown.text
    paths = re.findall(r'<path class="(\w+)" d="(M[^"]+)"', shown.text)
    assert [name for name, _ in paths] == ["band", "naive", "outcome", "median"]
    assert dict(paths)["median"].count("M") == 2  # two days, and a night without sales


def test_a_part_is_chosen_and_stays_chosen_at_the_other_model(answered):
    shown = answered.get("answers?case=ahead&of=north%2Cbread")
    assert table(shown, "Ahead")[0][2] == "37.60"
    assert 'href="?case=ahead&amp;model=returns&amp;of=north%2Cbread"' in shown.text
    nothing = answered.get("answers?case=ahead&model=returns&of=north%2Cbread")
    assert "No predictions yet. " in text(nothing)
    assert "millrace predict ahead --model returns" in text(nothing)
    assert "No forecast of west,all. 3 series have one." in text(
        answered.get("answers?case=ahead&of=west,all")
    )


def test_every_answer_leads_to_what_it_was_made_of(answered):
    shown = answered.get("answers?case=picks")
    (link,) = re.findall(r'href="/millrace/(lineage/prediction[^"]+)"', shown.text)
    read = text(answered.get(unescape(link)))
    assert "films 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, scores 1.0000, 0.9375" in read
    assert ["is_fallback", "no"] in table(answered.get(unescape(link)), "Answer")
    ((name, held),) = table(answered.get(unescape(link)), "Inputs")
    assert name == "history"
    assert held.endswith("old 9 and 191 more")


def test_drift_says_what_lists_are_like_under_their_titles(answered):
    rows = table(answered.get("drift/1"), "Answers")
    assert rows == [
        ["Different items in all lists", "40.000", "60.000"],
        ["Share of lists that are a fallback", "0.250", "0.125"],
    ]
    quality = table(answered.get("drift/1"), "Quality")
    assert ["nDCG at 10", "0.100", "0.200"] in quality
    assert ["Share of rows with a relevant item", "0.500", "0.500"] in quality


def test_versions_are_told_by_the_titles_of_their_task(answered):
    (version,) = table(answered.get("models?case=picks"), "Versions")
    assert version[2:6] == ["0.125", "\N{EN DASH}", "\N{EN DASH}", "0.250"]
    read = text(answered.get("models?case=picks"))
    assert "nDCG at 10 MAP at 10 Precision at 10 Recall at 10" in read
