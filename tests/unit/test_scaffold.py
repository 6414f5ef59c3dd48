"""What `millrace new` proposes, and what it refuses, each with nothing written."""

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO

import pytest

from pipelines.core.errors import MillraceError, UsageError
from pipelines.data.reading.files import FileTable
from pipelines.scaffold import new
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.plan import planned
from pipelines.scaffold.render import rendered
from pipelines.scaffold.write import write
from pipelines.use_cases.spec.model import Model
from tests import made_cases
from tests.made_cases import call, files, loans, words

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "loans.csv"
    path.write_text(loans())
    return path


def ask(path: Path, **changes: object) -> Ask:
    asked = {
        "name": "loans",
        "location": str(path),
        "key": ("Loan ID",),
        "event_time": "Opened",
        "label": "Defaulted",
        "positive": "yes",
        "without": ("Settled",),
    }
    return Ask(**(asked | changes))


def propose(path: Path, **changes: object) -> Proposal:
    return infer(ask(path, **changes), FileTable(str(path), (path.parent,)), NOW)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made_cases.repository(tmp_path / "repository")


def test_a_proposal_says_what_the_sample_has(csv_file):
    found = propose(csv_file)
    assert found.key == ("loan_id",)
    assert found.label == "defaulted"
    assert (found.shape.label.positive, found.shape.label.negative) == ("yes", "no")
    assert [(each.name, each.type) for each in found.inputs] == [
        ("loan_id", "string"),
        ("segment", "string"),
        ("amount", "bigint"),
    ]
    assert found.entity
    assert found.entity.name == "segment"
    assert (found.first_day, found.last_day) == (date(2026, 9, 1), date(2026, 10, 10))
    assert found.num_rows == found.target.num_labelled == 400
    assert found.target.counts["true"] == loans().count(",yes,")
    assert (found.target.task, found.target.guessed) == ("binary", None)
    assert len(found.sample) == 20


def test_the_plan_fits_the_days_and_the_label_s_delay(csv_file):
    plan = planned(propose(csv_file))
    # 10 rows a day: 10 of 40 days are for evaluation, 100 rows, of which half are asked for.
    assert (plan.look_back_days, plan.validation_days, plan.evaluation_days) == (45, 5, 10)
    assert (plan.num_rows_min, plan.watched_days, plan.num_watched_min) == (50, 7, 35)
    late = planned(propose(csv_file, without=(), label_known_at="Settled"))
    # Nine in ten labels are known within 9 days.
    assert (late.validation_days, late.evaluation_days) == (14, 18)
    for each in (plan, late):
        Model(
            name="defaulted",
            task="binary",
            family="tabular_net",
            row_key=("loan_id",),
            label="defaulted",
            look_back_days=each.look_back_days,
            validation_days=each.validation_days,
            evaluation_days=each.evaluation_days,
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": ("Nope",)}, r"loans.csv has no column Nope; it has Loan ID, Opened"),
        ({"positive": "maybe"}, "has no 'maybe' but 'no' and 'yes'"),
        ({"label": "Amount"}, r"label Amount has 97 values \('100', .*; a yes or no has two"),
        (
            {"event_time": "Segment"},
            "Segment: 'firms' is not read as an instant: say how it .* by --dates",
        ),
        ({"key": ("Segment",)}, r"names several rows 2 times.*or --known-at"),
        ({"without": ("Loan ID",)}, "--without names Loan ID, which is needed"),
        ({"label": "Loan ID"}, "must be different columns"),
        ({"event_time": "Settled", "known_at": "Opened", "without": ()}, "Settled after Opened"),
    ],
)
def test_what_can_not_be_is_refused_in_words(csv_file, changes, said):
    with pytest.raises(UsageError, match=said):
        propose(csv_file, **changes)


def test_a_correction_may_repeat_a_key_when_its_publication_is_known(csv_file):
    csv_file.write_text(loans() + "L0,2026-09-01 00:00:00,retail,100,no,2026-10-01\n")
    assert propose(csv_file, known_at="Settled", without=()).num_rows == 401
    again = (f"L{n},2026-09-01 00:00:00,retail,{n},no,2026-10-01\n" for n in range(5))
    csv_file.write_text(loans() + "".join([*again] * 2).replace(",4,no", ",5,no"))
    found = propose(csv_file, known_at="Settled", without=())
    assert "5 rows are the exact copy of another: counted as duplicates" in found.said
    again = (f"L{n % 10},2026-09-01 00:00:00,retail,{n},no,2026-10-01\n" for n in range(20))
    csv_file.write_text(loans() + "".join(again))
    with pytest.raises(UsageError, match="names several rows 10 times, such as L0, 2026-10-01"):
        propose(csv_file, known_at="Settled", without=())


@pytest.mark.parametrize(
    "name", ["Loans", "class", "match", "flight_delays", "a-b", "x" * 25, "9a"]
)
def test_a_name_that_is_none_or_taken_is_refused(name, csv_file, repository):
    before = files(repository)
    with pytest.raises(UsageError, match="NAME"):
        call("new", name, *words(csv_file, repository))
    assert files(repository) == before


def test_the_command_says_what_it_wrote_and_what_to_do_next(csv_file, repository):
    said = call("new", "loans", *words(csv_file, repository))
    assert "400 rows of 40 days, 2026-09-01 to 2026-10-10" in said
    assert f"""export MILLRACE_DATA_ROOTS='["{csv_file.parent}"]'""" in said
    assert "  task    binary, guessed from Defaulted: it has two values." in said
    assert "wrote   tests/golden/loans_sample.csv" in said
    assert "edited" not in said
    assert said.splitlines()[-1].startswith('{"case": "loans", "written": [')
    sample = (repository / "tests/golden/loans_sample.csv").read_text()
    assert sample.splitlines()[0] == "Loan ID,Segment,Amount,Defaulted,Opened"
    assert len(sample.splitlines()) == 21


def test_nothing_is_overwritten_and_a_failure_leaves_nothing(csv_file, repository, monkeypatch):
    texts = rendered(propose(csv_file), date(2026, 11, 21))
    taken = repository / "tests" / "unit" / "test_loans.py"
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")
    before = files(repository)
    with pytest.raises(UsageError, match=r"test_loans\.py is there already"):
        write(texts, repository)
    assert files(repository) == before
    taken.unlink()
    before = files(repository)
    plain = Path.open

    def full(path: Path, mode: str = "r", **options: str) -> IO[str]:
        if path.name == "loans_sample.csv":
            raise OSError("disk full")
        return plain(path, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(MillraceError, match="disk full; nothing was written"):
        write(texts, repository)
    assert files(repository) == before
    assert not (repository / "pipelines/data/transform/dbt/models/loans").exists()


def test_the_secret_of_an_address_is_written_nowhere(tmp_path, repository, monkeypatch):
    for location, expected in {
        "postgresql://me:p@ss:w/rd@db:5432/shop#t": "postgresql://me:***@db:5432/shop#t",
        "mysql://db/shop?user=me&password=hush#t": "mysql://db/shop?user=me&password=***#t",
        "s3://key:secret@bucket/rows": "s3://key:***@bucket/rows",
        "sqlite:////data/shop.db#t": "sqlite:////data/shop.db#t",
        "/data/a.csv": "/data/a.csv",
    }.items():
        assert new.masked(location) == expected
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute('create table t ("Loan ID", "Opened", "Segment", "Amount", "Defaulted")')
        rows = [line.split(",")[:5] for line in loans().splitlines()[1:]]
        connection.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
    connection.close()
    asked = words(path, repository)[2:-4]
    source = f"sqlite:///{path}?token=hush-hush#t"
    said = call("new", "loans", "--from", source, *asked, "--into", str(repository))
    assert "set MILLRACE_SOURCE_LOANS to the whole address" in said
    everything = said + "".join(files(repository).values())
    assert "hush-hush" not in everything
    assert "?token=***#t" in (repository / "pipelines/data/extract/sources/loans.py").read_text()


def test_a_database_needs_its_table():
    with pytest.raises(UsageError, match="SQLALCHEMY_URL#TABLE"):
        new.absolute("postgresql://db/shop")
