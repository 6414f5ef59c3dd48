"""The suites against the rest of a case: every rule names a column that its table has."""

from pathlib import Path

import pytest
import yaml

from expectations.rules import Between
from expectations.suites import promises
from pipelines.core import cases
from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import UseCase

MODELS = Path(__file__).parents[2] / "pipelines" / "data" / "transform" / "dbt" / "models"
CASES = [pytest.param(case, id=case.name) for case in load().found.values()]


def dbt_columns(case: UseCase) -> dict[str, set[str]]:
    """The columns of each silver and gold table, as their YAML says."""
    return {
        f"{path.parent.name}.{model['name'].removeprefix(case.name + '_')}": {
            column["name"] for column in model["columns"]
        }
        for path in (MODELS / case.name).glob("*/*.yml")
        for model in yaml.safe_load(path.read_text()).get("models", ())
    }


def rule_columns(rule: object) -> set[str]:
    """The columns that a rule reads."""
    when = getattr(rule, "when", None)
    names = {getattr(rule, name, None) for name in ("column", "first", "second")}
    return {*names, when[0] if when else None} - {None}


@pytest.mark.parametrize("case", CASES)
def test_every_row_rule_names_a_column_of_its_feed(case):
    rules = cases.contract(case.name).row_rules()
    unknown = {
        (feed, column)
        for feed, of_feed in rules.items()
        for rule in of_feed
        for column in rule_columns(rule) - set(case.feed(feed).column_names)
    }
    assert not unknown


@pytest.mark.parametrize("case", CASES)
def test_every_table_rule_names_a_column_of_its_dbt_model(case):
    tables, rules = dbt_columns(case), cases.contract(case.name).table_rules()
    unknown = {
        (table, column)
        for table, of_table in rules.items()
        for rule in of_table
        for column in rule_columns(rule) - tables[table]
    }
    assert not unknown


@pytest.mark.parametrize("case", CASES)
def test_every_table_has_its_keys_among_its_columns(case):
    contract, tables = cases.contract(case.name), dbt_columns(case)
    keys = {
        **{f"silver.{name}": case.feed(name).key for name in case.silver},
        **{f"gold.{state.name}": state.keys for state in case.entity_states},
        **contract.table_keys(),
    }
    named = {f"silver.{name}" for name in case.silver} | {
        f"gold.{name}" for name in case.tables("gold")
    }
    assert set(keys) == named, "table_keys() names each gold table that is no entity state"
    assert {table: set(key) - tables[table] for table, key in keys.items()} == {
        table: set() for table in named
    }


def test_names_are_promises():
    columns = [
        ("num_overdue", "bigint"),
        ("late_rate_28d", "double"),
        ("load_share", "float"),
        ("rated_power_watts", "double"),
        ("number", "int"),
        ("num_text", "string"),
    ]
    assert promises(columns) == [
        Between("num_overdue", 0, 10**9, because="a count"),
        Between("late_rate_28d", 0, 1, because="a share"),
        Between("load_share", 0, 1, because="a share"),
    ]


def test_a_wait_below_zero_or_a_share_above_one_is_seen():
    """Each limit of the flight case has both ends, in the units that its names say."""
    rules = cases.contract("flight_delays").table_rules()
    limits = {
        rule.column: (rule.min, rule.max)
        for rule in rules["gold.origin_states"]
        if isinstance(rule, Between)
    }
    assert limits["overdue_minutes_max"] == (0, 1440)
    assert limits["departure_delay_minutes_mean_3h"] == (-120, 2000)
