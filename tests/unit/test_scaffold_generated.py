"""Generated cases in a copy of the repository: formatted, linted, and whole by the contract tests.

One copy for all: each case is three seconds, the contract tests of all of them half a minute.
"""

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.core.settings import ROOT
from tests import golden_proposals, made_tables

SEED = 7
# The contract tests ask every source for the day before their fixed clock, 21 November 2026.
START, DAYS, ROWS = datetime(2026, 10, 12), 40, 600  # noqa: DTZ001  # naive: taken as UTC
# Names as long as they may be must not break a line either.
PLAIN = "plain_numbers_of_a_plant"
LONG = "whether it was as bad as could be, or worse"
SERIES, RANKED = ("hourly", "daily"), "books"
CASES = ("loans", "shop", PLAIN, "letters", "taxi", "odd", "stars", *SERIES, RANKED)
# Classes that are no words of any language, nor of SQL, jinja, YAML or Python.
ODD = ("it's", 'so "so"', "{{ 7 }} {% x %}", "Größe\\", "a " + "very " * 20 + "long class")
CALL = """
import sys, typer
from pipelines.scaffold import commands
app = typer.Typer()
app.callback()(lambda: None)
app.command()(commands.new)
app()
"""


def instants(dice: random.Random) -> list[datetime]:
    return sorted(START + timedelta(minutes=dice.randrange(DAYS * 1440)) for _ in range(ROWS))


def write_csv(path: Path, dice: random.Random) -> None:
    """A label in words, a category, a column that needs another name, bad and missing values."""
    lines = ["Loan ID;Opened At;Segment;Amount (EUR);Interest Rate;text;Größe;Defaulted?"]
    for number, at in enumerate(instants(dice)):
        amount = "oops" if number == 5 else dice.randrange(100, 9999)
        rate, size = round(dice.random() * 20, 2), dice.choice(["NA", "1.5", "2"])
        segment, answer = dice.choice(["retail", "firms"]), dice.choice(["yes", "no", ""])
        lines.append(f'L{number:04};{at};{segment};{amount};{rate};"a; ""b""";{size};{answer}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_database(path: Path, dice: random.Random) -> None:
    """Reserved names, a label that is known days later, a time of publication."""
    with sqlite3.connect(path) as connection:
        columns = (
            "id int, placed text, seen text, channel text, total real, returned int, back text"
        )
        connection.execute(f'create table "order" ({columns})')
        for number, at in enumerate(instants(dice)):
            back = at + timedelta(days=9 * dice.random(), minutes=9)
            is_known = back < START + timedelta(days=DAYS)
            row = (number, f"{at}", f"{at + timedelta(seconds=30)}", dice.choice(["web", "app"]))
            label = (dice.randrange(2), f"{back}") if is_known else (None, None)
            connection.execute(
                'insert into "order" values (?, ?, ?, ?, ?, ?, ?)',
                (*row, 9 * dice.random(), *label),
            )
    connection.close()


def write_parquet(path: Path, dice: random.Random) -> None:
    """Nothing but numbers, and the instant part of the key."""
    numbers = {name: [dice.gauss(0, 1) for _ in range(ROWS)] for name in ("x1", "num_x")}
    at = pa.array([*instants(dice)], pa.timestamp("ns"))
    label = [dice.randrange(2) for _ in range(ROWS)]
    table = pa.table({"n": list(range(ROWS)), "at": at, **numbers, LONG: label})
    pq.write_table(table, path)


def write_classes(folder: Path, dice: random.Random) -> None:
    """Classes in odd words; and whole numbers with gaps, as pandas leaves them, known later."""
    odd, stars = ["n,at,size,what"], ["n,at,size,stars,rated"]
    for number, at in enumerate(instants(dice)):
        what, rated = dice.choice(ODD).replace('"', '""'), at + timedelta(days=2)
        odd.append(f'{number},{at},{dice.random()},"{what}"')
        told = f"{dice.randrange(1, 6)}.0,{rated}" if dice.random() < 0.9 else ","
        stars.append(f"{number},{at},{dice.random()},{told}")
    (folder / "odd.csv").write_text("\n".join(odd) + "\n", encoding="utf-8")
    (folder / "stars.csv").write_text("\n".join(stars) + "\n", encoding="utf-8")


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    roots = json.dumps([str(copy.parent / "data")])
    environment = os.environ | {"PYTHONPATH": str(copy), "MILLRACE_DATA_ROOTS": roots}
    ended = subprocess.run(
        words, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
    return ended


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's rooms with new cases in them, of every task."""
    print(f"seed {SEED}")
    dice, base = random.Random(SEED), tmp_path_factory.mktemp("scaffold")  # noqa: S311
    made, data = base / "repository", base / "data"
    data.mkdir()
    for room in ("pipelines", "features", "models", "expectations", "tests/contract"):
        shutil.copytree(ROOT / room, made / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", made)
    write_csv(data / "loans.csv", dice)
    write_database(data / "shop.db", dice)
    write_parquet(data / "plain.parquet", dice)
    write_classes(data, dice)
    days = [START.date() + timedelta(days=number) for number in range(DAYS)]
    made_tables.write(made_tables.tickets(days), data / "tickets.csv")
    made_tables.write(made_tables.trips(days), data / "trips.csv")
    for name in (*SERIES, RANKED):
        made_tables.write(iter(golden_proposals.table(name)), data / f"{name}.csv")
    series = "--event-time Hour|--label|Load (MW)|--task forecast"
    asked = {
        "hourly": f"--from {{}}/hourly.csv --key Station,Hour {series}",
        "daily": f"--from {{}}/daily.csv {series} --horizon 7",
        RANKED: "--from {}/books.csv --key Reader,Book --event-time When --label Stars "
        "--task ranking",
        "loans": "--from {}/loans.csv --key|Loan ID|--event-time|Opened At|--label|Defaulted?"
        "|--positive yes",
        "shop": "--from sqlite:///{}/shop.db#order --key id --event-time placed --label returned "
        "--known-at seen --label-known-at back",
        PLAIN: f"--from {{}}/plain.parquet --key n,at --event-time at --label|{LONG}",
        "letters": "--from {}/tickets.csv --key Ticket --event-time Arrived --label|Answered by",
        "taxi": "--from {}/trips.csv --key Trip --event-time Started --label|Fare (EUR)",
        "odd": "--from {}/odd.csv --key n --event-time at --label what --task multiclass",
        "stars": "--from {}/stars.csv --key n --event-time at --label stars --label-known-at rated",
    }
    for case, words in asked.items():
        options = [word for part in words.format(data).split("|") for word in _split(part)]
        call = (sys.executable, "-c", CALL, "new", case, *options, "--into", str(made))
        assert f'"case": "{case}"' in run(made, *call).stdout
    return made


def _split(part: str) -> list[str]:
    """Column names with a space stand between bars."""
    return part.split(" ") if "--" in part else [part]


def test_the_generated_files_are_formatted_and_linted(copy):
    written = [str(p) for case in CASES for p in copy.rglob(f"*{case}*.py")]
    assert len(written) == len(CASES) * 6
    run(copy, sys.executable, "-m", "ruff", "format", "--check", *written)
    run(copy, sys.executable, "-m", "ruff", "check", "--no-cache", *written)


def test_the_generated_cases_pass_the_contract_tests_and_their_own(copy):
    contracts = [
        str(path)
        for path in sorted((copy / "tests" / "contract").glob("test_*.py"))
        if "load().found" in path.read_text()
    ]
    assert len(contracts) >= 4
    own = [f"tests/unit/test_{case}.py" for case in CASES]
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    said = run(copy, *pytest_, *contracts, *own).stdout
    assert " passed" in said
    assert "skipped" not in said


def test_the_generated_files_say_what_the_data_has(copy):
    def text(path: str) -> str:
        return (copy / path).read_text()

    source = text("pipelines/data/extract/sources/loans.py")
    assert '"Interest Rate": "interest_level",' in source
    assert '"text": "text_value",' in source
    assert '"Gr\\xf6\\xdfe": "grosse",' in source
    assert 'Notation(missing=frozenset({"NA"})),' in source
    assert 'DIALECT = Dialect(delimiter=";")' in source
    assert 'located(settings, "loans", LOCATION, DIALECT)' in source
    assert 'Label("Defaulted?", positive="yes", negative="no")' in source
    shop = text("pipelines/data/extract/sources/shop.py")
    assert 'label_known_at="back"' in shop
    assert "first without its label" in " ".join(shop.split())
    plain = text(f"pipelines/use_cases/{PLAIN}.py")
    assert 'key=("n", "event_at"),' in plain
    assert 'keys=("population",),' in plain
    assert '"number_x"' in text(f"models/{PLAIN}.py")
    rules = text("expectations/loans.py")
    never = "none of 600 rows lacks one, so hardly 0.50% of all do"
    assert re.search(rf'NotNull\(\s*"segment",\s*because="{never}"', rules)
    assert re.search(r'Between\(\s*"amount_eur",\s*min=0,\s*max=20000,\s*because="the sam', rules)
    assert 'NotNull("grosse"' not in rules
    states = text("pipelines/data/transform/dbt/models/loans/gold/loans_segment_states.sql")
    assert "known_at + interval 1 day as from_at" in states


@pytest.mark.parametrize(
    ("case", "model", "task", "settings", "known"),
    [
        ("loans", "defaulted", "Binary(num_class_rows_min=", "TabularNet(", '"boolean"'),
        ("letters", "answered_by", 'classes=("account", "billing", ', "Trees(", '"string"'),
        ("taxi", "fare_eur", "Regression(num_rows_min=300)", "Trees(", '"double"'),
        ("odd", "what", "{{ 7 }} {% x %}", "Trees(", '"string"'),
        ("stars", "stars", 'classes=("1", "2", "3", "4", "5")', "Trees(", '"bigint"'),
        (PLAIN, "whether_it_was_as_bad_as_could_b", "Binary(", "TabularNet(", '"boolean"'),
    ],
)
def test_the_model_and_the_label_follow_the_task(copy, case, model, task, settings, known):
    models = (copy / "models" / f"{case}.py").read_text()
    assert f'"{model}": ModelSpec(' in models
    assert task in models
    assert settings in models
    feed = (copy / "pipelines/use_cases" / f"{case}.py").read_text()
    assert f'name="{model}"' in feed
    assert known in feed.split('"event_at"')[0].rpartition("Column(")[0].rpartition("Column(")[2]
    assert ("floor=0.5" if known == '"boolean"' else "floor=0.0") in feed


def test_a_label_of_another_class_is_refused_with_a_reason(copy):
    rules = (copy / "expectations/letters.py").read_text()
    assert 'because="models/letters.py learns these; add a new one there and here"' in rules
    assert rules.count("_LABEL") == 3
    assert '"gold.labels": (_KNOWN, _LABEL),' in rules
    source = (copy / "pipelines/data/extract/sources/letters.py").read_text()
    assert 'label=Label("Answered by"),' in source
    taxi = (copy / "expectations/taxi.py").read_text()
    assert "_LABEL = Between(" in taxi
