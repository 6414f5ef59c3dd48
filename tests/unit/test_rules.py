"""Row rules: their words, their limits, and the arguments that Great Expectations gets."""

import pytest

from expectations.flight_delays import row_rules
from expectations.rules import Between, InSet, Matches, NotNull, Ordered, Rule
from pipelines.use_cases import find

WHY = "the reason"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (NotNull("a", because=WHY), "a must have a value: the reason"),
        (
            NotNull("a", when=("b", ("x", "y")), because=WHY),
            "a must have a value where b is x or y: the reason",
        ),
        (Between("a", 0, 1.5, because=WHY), "a must be from 0 to 1.5: the reason"),
        (InSet("a", ("x", "y"), because=WHY), "a must be one of x, y: the reason"),
        (Matches("a", "[0-9]", because=WHY), "a must match [0-9]: the reason"),
        (Ordered("a", "b", because=WHY), "a must not be after b: the reason"),
    ],
)
def test_a_reason_names_the_column_the_limit_and_why(rule: Rule, reason: str) -> None:
    assert rule.reason == reason


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Between\('a'\): min 2 is above max 1"):
        Between("a", 2, 1, because=WHY)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("x'; DROP TABLE t; --", r"'x\'; DROP TABLE t; --'"),
        ("a\\b", r"'a\\b'"),
        ("${env:HOME}", r"'\u0024{env:HOME}'"),
    ],
)
def test_b22_a_text_in_a_rule_stays_a_literal(text: str, literal: str) -> None:
    assert InSet("a", (text,), because=WHY).predicate == f"coalesce(`a` in ({literal}), true)"


def test_flight_delays_has_rules_for_columns_that_its_feeds_have() -> None:
    case = find("flight_delays")
    assert set(row_rules()) == {feed.name for feed in case.feeds}
    for name, rules in row_rules().items():
        for rule in rules:
            arguments = rule.expectation[1]
            columns = {
                arguments[key] for key in ("column", "column_A", "column_B") if key in arguments
            }
            assert columns <= set(case.feed(name).column_names), (name, rule)
            assert rule.because, (name, rule)
