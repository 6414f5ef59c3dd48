"""The small pieces of `millrace new`: names, types, literals."""

import keyword
import random
import re
from dataclasses import replace

import duckdb
import pytest
import sqlglot
import yaml

from pipelines.core.errors import UsageError
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.columns import chosen, found
from pipelines.scaffold.literals import call, import_order, quoted, yaml_text
from pipelines.scaffold.names import (
    LENGTH_MAX,
    Header,
    described,
    identifier,
    kept_promises,
    named,
    refuse_repeated,
)
from pipelines.scaffold.profile import Profile
from pipelines.scaffold.reserved import RESERVED

SEED = 5


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Größe (cm)", "grosse_cm"),
        ("  2nd value ", "column_2nd_value"),
        ("***", ""),
        ("\ufeffLoan ID ", "loan_id"),
        ("\u00a0price\t", "price"),
        ("Цена", "tsena"),
        ("仙台 発車", "xian_tai_fa_che"),
        ("سعر", "s_r"),
        ("🎈", "balloon"),
        ("class", "class"),
        ("default", "default_value"),
        ("asof", "asof_value"),
        ("num_rows_7d", "num_rows_7d_value"),
        ("loans_", "loans"),
        ("text", "text_value"),
        ("Low", "low_value"),
        ("label", "label_value"),
        ("ORDER", "order_value"),
        ("known_at", "known_at_value"),
        ("loans_amount", "amount"),
        ("x" * 60, "x" * 40),
    ],
)
def test_any_name_becomes_an_identifier_that_no_stage_uses(source, expected):
    assert identifier(source, "loans") == expected


def test_names_that_promise_what_the_numbers_do_not_keep_are_changed():
    assert kept_promises("tax_rate", 0, 1) == "tax_rate"
    assert kept_promises("tax_rate", 0, 19) == "tax_level"
    assert kept_promises("market_share", -1, 1) == "market_portion"
    assert kept_promises("num_points", -3, 5) == "number_points"
    assert kept_promises("num_points", 0, 5) == "num_points"
    assert described("Sold at", "sold_at") == "the source's «Sold at», UTC"
    assert described("a{{x}}'b\\\n", "a") == "the source's «a((x))\u2019b/»"
    assert described("  ", "column_3") == "the source's column without a name"


def test_names_of_one_spelling_are_numbered_and_said():
    sources = ["Loan ID", "loan_id", "loan id 2", "x" * 50, "x" * 41, "***", ""]
    result = named([Header(name, place) for place, name in enumerate(sources, 1)], "loans")
    assert list(result.names.values()) == [
        "loan_id",
        "loan_id_3",
        "loan_id_2",
        "x" * 40,
        "x" * 38 + "_2",
        "column_6",
        "column_7",
    ]
    assert "column 'loan_id' is named loan_id_3: another has its name already" in result.said
    assert "column 7 has no name in the source: it is named column_7" in result.said
    assert len(result.said) == 3


def test_a_thousand_odd_headers_are_a_thousand_names():
    dice = random.Random(SEED)  # noqa: S311
    print(f"seed {SEED}")
    letters = "aZ ß_.9é仙Ж🎈\"'{}%\\\t"
    sources = {"".join(dice.choices(letters, k=dice.randrange(60))) for _ in range(1000)}
    headers = [Header(name, place) for place, name in enumerate(sorted(sources), 1)]
    names = named(headers, "shop").names
    assert len(set(names.values())) == len(sources)
    for source, name in names.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), (source, name)
        assert len(name) <= LENGTH_MAX + len("_value")
        assert name not in RESERVED
        said = described(source, name)
        assert yaml.safe_load(yaml_text(said)) == said
        assert not set("{}\\'\"") & set(said.removeprefix("the source's"))


def test_headers_that_nothing_tells_apart_are_refused_in_words():
    refuse_repeated(["a", "A", " a", "", ""])
    with pytest.raises(UsageError, match=r"'price' 2 times.*name of its own.*--without"):
        refuse_repeated(["a", "price", "price"])
    refuse_repeated(["a", "price", "price"], without=["price"])


ASK = Ask(name="x", location="x.csv", key=("id",), event_time="at", label="y")


def test_columns_are_found_whatever_their_case_and_spaces():
    assert found(ASK, ["\ufeffID", " at ", "Y", "z"]).needed == ("\ufeffID", " at ", "Y")
    with pytest.raises(UsageError, match=r"no column at; it has id, AT, At, y$"):
        found(ASK, ["id", "AT", "At", "y"])
    with pytest.raises(UsageError, match=r"no column at; it has id, att, y; is it 'att'\?"):
        found(ASK, ["id", "att", "y"])


def test_columns_are_chosen_and_those_left_out_have_a_reason():
    some = chosen(replace(ASK, only=("b",)), ["id", "at", "y", "a", "b", "", ""])
    assert some.columns == ["id", "at", "y", "b"]
    assert some.left_out == {
        "": "2 columns without a name, which nothing tells apart",
        "a": "--only has others",
    }
    wide = ["id", "at", "y", *(f"c{number}" for number in range(998))]
    with pytest.raises(UsageError, match=r"has 1,001 columns, a case at most 1,000: .* --only"):
        chosen(ASK, wide)
    assert len(chosen(replace(ASK, without=("c7",)), wide).columns) == 1000


def test_words_of_sql_are_reserved_as_far_as_the_parsers_can_not_read_them():
    """By the parsers of DuckDB and of the lineage of Spark, both as they are installed."""
    asked = duckdb.sql("select distinct keyword_name from duckdb_keywords()").fetchall()
    words = {word for (word,) in asked} | set(keyword.kwlist) | {"rows", "source", "label", "key"}
    names = {identifier(word, "shop") for word in words}
    assert len(names) > 400
    for name in sorted(names):
        query = f"select {name}, 1 as a from (select 1 as {name}) as known where {name} is not null"
        assert duckdb.sql(query).columns == [name, "a"]
        (column, _) = sqlglot.parse_one(query, read="spark").selects
        assert (column.output_name, column.key) == (name, "column"), name


@pytest.mark.parametrize(
    ("texts", "kind", "missing"),
    [
        (["1", "2", ""], "bigint", set()),
        (["1", "2", "NA"], "bigint", {"NA"}),
        (["0.5", "1e3", ".5"], "double", set()),
        (["00501", "10001"], "string", set()),
        (["true", "FALSE"], "boolean", set()),
        (["2026-03-01"], "date", set()),
        (["2026-03-01", "2026-03-01T10:00:00Z"], "timestamp", set()),
        (["NA", "BE"], "string", set()),
        (["1"] * 99 + ["oops"], "bigint", set()),
        (["1"] * 98 + ["oops"] * 2, "string", set()),
        ([None, ""], "string", set()),
        (["9" * 19], "double", set()),
    ],
)
def test_the_type_of_a_column_is_that_of_nearly_all_its_values(texts, kind, missing):
    profile = Profile("x", texts)
    assert profile.type == kind
    assert profile.missing_words == missing


def test_literals_are_as_the_formatter_leaves_them():
    assert quoted('say "x"') == "'say \"x\"'"
    assert quoted('it\'s "x"') == '"it\'s \\"x\\""' or quoted('it\'s "x"')
    assert quoted("Größe\n") == '"Gr\\xf6\\xdfe\\n"'
    assert call("f(", ["a", "b"], ")", 4) == "f(a, b)"
    assert call("(", ['"a"'], ")", 0) == '("a",)'
    assert call("f(", ["a" * 60, "b" * 60], ")", 4).splitlines()[-1] == "    )"


def test_imports_are_in_the_linters_order():
    modules = ["pipelines.use_cases.zebra", "pipelines.use_cases.a10", "pipelines.use_cases.a9"]
    assert sorted(["typing", *modules], key=import_order) == ["typing", *reversed(modules)]
