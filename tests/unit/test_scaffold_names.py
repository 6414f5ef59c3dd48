"""The small pieces of `millrace new`: names, types, literals."""

import pytest

from pipelines.core.errors import UsageError
from pipelines.scaffold.literals import call, import_order, quoted
from pipelines.scaffold.names import described, identifier, kept_promises, refuse_clashes
from pipelines.scaffold.profile import Profile


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Größe (cm)", "grosse_cm"),
        ("  2nd value ", "column_2nd_value"),
        ("***", "column"),
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
    assert identifier(source.replace("ß", "ss"), "loans") == expected


def test_names_that_promise_what_the_numbers_do_not_keep_are_changed():
    assert kept_promises("tax_rate", 0, 1) == "tax_rate"
    assert kept_promises("tax_rate", 0, 19) == "tax_level"
    assert kept_promises("market_share", -1, 1) == "market_portion"
    assert kept_promises("num_points", -3, 5) == "number_points"
    assert kept_promises("num_points", 0, 5) == "num_points"
    assert described("Sold at", "sold_at") == "the source's Sold at, UTC"
    assert described("a{{x}}'b", "a") == "the source's a x b"


def test_clashes_are_refused_in_words():
    with pytest.raises(UsageError, match="'Loan ID' and 'loan_id' would be named loan_id"):
        refuse_clashes({"Loan ID": "loan_id", "loan_id": "loan_id", "x": "x"})


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
