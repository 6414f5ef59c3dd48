"""Column lineage of single queries: each rule by edges written by hand."""

import pytest

from pipelines.insight.lineage.sql import lineage

TABLES = {"s.flights": ["id", "origin", "delay", "at"], "s.ports": ["origin", "name", "at"]}


def sources(text: str, column: str) -> set[str]:
    found = lineage(text, TABLES, [])
    assert found.unresolved == ()
    return {f"{each.field} {each.how}" for each in found.relation.columns[column].sources}


def rows(text: str) -> set[str]:
    return {f"{each.field} {each.how}" for each in lineage(text, TABLES, []).relation.rows}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("delay", {"delay IDENTITY"}),
        ("(delay)", {"delay IDENTITY"}),
        ("f.delay + 1", {"delay TRANSFORMATION"}),
        ("upper(trim(origin))", {"origin TRANSFORMATION"}),
        ("cast(delay as double)", {"delay TRANSFORMATION"}),
        ("some_function_of_ours(delay, id)", {"delay TRANSFORMATION", "id TRANSFORMATION"}),
        ("sum(delay + 1) / count(id)", {"delay AGGREGATION", "id AGGREGATION"}),
        ("count(*)", set()),
        ("if(delay > 15, id, origin)",
         {"delay CONDITIONAL", "id TRANSFORMATION", "origin TRANSFORMATION"}),
        ("case when delay > 1 then id else at end",
         {"delay CONDITIONAL", "id TRANSFORMATION", "at TRANSFORMATION"}),
        ("case delay when 1 then id end", {"delay CONDITIONAL", "id TRANSFORMATION"}),
        ("sum(delay) filter (where origin = 'EWR')", {"delay AGGREGATION", "origin CONDITIONAL"}),
        ("max_by(delay, at)", {"delay AGGREGATION", "at SORT"}),
        ("max_by(struct(*), at).delay", {"delay AGGREGATION", "at SORT"}),
        ("named_struct('a', delay, 'b', id).b", {"id IDENTITY"}),
        ("lead(at) over (partition by id order by delay)",
         {"at TRANSFORMATION", "id WINDOW", "delay WINDOW"}),
        ("sum(delay) over w", {"delay AGGREGATION", "origin WINDOW", "at WINDOW"}),
        ("array(delay, id)[at]", {"delay IDENTITY", "id IDENTITY", "at CONDITIONAL"}),
        ("delay in (1, id)", {"delay TRANSFORMATION", "id TRANSFORMATION"}),
        ("transform(array(delay), x -> x + id)", {"delay TRANSFORMATION", "id TRANSFORMATION"}),
        ("explode(sequence(delay, id))", {"delay TRANSFORMATION", "id TRANSFORMATION"}),
    ],
)  # fmt: skip
def test_an_expression_depends_on(expression: str, expected: set[str]) -> None:
    text = (
        f"select {expression} as x from s.flights f window w as (partition by origin order by at)"
    )
    assert sources(text, "x") == {f"s.flights.{each}" for each in expected}


def test_steps_add_up_and_indirect_stays_indirect() -> None:
    text = """
        with a as (select id, delay > 15 as late, upper(origin) as port from s.flights),
             b as (select port, sum(if(late, 1, 0)) as num, max(id) as id from a group by port)
        select num + 1 as num, id, port from b
    """
    assert sources(text, "num") == {"s.flights.delay CONDITIONAL"}
    assert sources(text, "id") == {"s.flights.id AGGREGATION"}
    assert sources(text, "port") == {"s.flights.origin TRANSFORMATION"}
    assert rows(text) == {"s.flights.origin GROUP_BY"}


def test_what_decides_rows_is_apart_from_what_becomes_a_value() -> None:
    text = """
        select f.id, name from s.flights as f left join s.ports as p on f.origin = p.origin
        where delay > (select max(length(name)) from s.ports)
        qualify row_number() over (partition by id order by f.at) = 1
    """
    assert sources(text, "name") == {"s.ports.name IDENTITY"}
    assert rows(text) == {
        "s.flights.origin JOIN",
        "s.ports.origin JOIN",
        "s.flights.delay FILTER",
        "s.ports.name FILTER",
        "s.flights.id FILTER",
        "s.flights.at FILTER",
    }


def test_a_shared_column_of_using_is_the_first_relations() -> None:
    text = "select origin, p.at as seen from s.flights left join s.ports as p using (origin)"
    assert sources(text, "origin") == {"s.flights.origin IDENTITY"}
    assert sources(text, "seen") == {"s.ports.at IDENTITY"}
    assert rows(text) == {"s.flights.origin JOIN", "s.ports.origin JOIN"}


def test_a_coalesce_of_the_text_itself_is_of_all_its_parts() -> None:
    text = """
        select coalesce(f.origin, p.origin) as port, origin
        from s.flights as f full join s.ports as p using (origin)
    """
    both = {"s.flights.origin TRANSFORMATION", "s.ports.origin TRANSFORMATION"}
    assert sources(text, "port") == both
    assert sources(text, "origin") == {"s.flights.origin IDENTITY"}


def test_joins_without_a_condition_of_their_own_decide_rows() -> None:
    keys = {f"{table}.{name} JOIN" for table in TABLES for name in ("origin", "at")}
    assert rows("select * from s.flights natural join s.ports") == keys
    within = "select f.id from (s.flights f join s.ports p on f.origin = p.name) where delay > 1"
    assert sources(within, "id") == {"s.flights.id IDENTITY"}
    assert rows(within) == {
        "s.flights.origin JOIN",
        "s.ports.name JOIN",
        "s.flights.delay FILTER",
    }


def test_a_union_goes_by_position_and_keeps_the_first_names() -> None:
    text = "select id as x, delay from s.flights union all select name, 0 from s.ports"
    assert sources(text, "x") == {"s.flights.id IDENTITY", "s.ports.name IDENTITY"}
    assert sources(text, "delay") == {"s.flights.delay IDENTITY"}


def test_generators_give_the_fields_of_their_structs() -> None:
    inline = """
        select event, value, hours from (
            select origin, inline(array(
                named_struct('event', origin, 'value', delay),
                named_struct('event', concat(origin, '_late'), 'value', if(delay > 15, 1, 0)))
            ) from s.flights
        ) inner join values ('a', 1), ('b', 3) as windows(event, hours) using (event)
    """
    assert sources(inline, "value") == {
        "s.flights.delay TRANSFORMATION",
        "s.flights.delay CONDITIONAL",
    }
    assert sources(inline, "event") == {"s.flights.origin TRANSFORMATION"}
    assert sources(inline, "hours") == set()
    other = "union all select origin, 'x' as event, id as value from s.flights) inner join"
    united = inline.replace(") inner join", other)
    assert sources(united, "value") == sources(inline, "value") | {"s.flights.id IDENTITY"}
    view = """
        select change.at as instant, change.sign as sign from s.flights
        lateral view inline(array(
            named_struct('change', named_struct('at', at, 'sign', 1))
        )) as change
        where change.at > 0
    """
    assert sources(view, "instant") == {"s.flights.at TRANSFORMATION"}
    assert sources(view, "sign") == set()
    assert rows(view) == {"s.flights.at FILTER"}


def test_stars_keep_what_is_not_left_out() -> None:
    text = "select * except (delay), 1 as one from (select f.*, upper(id) as big from s.flights f)"
    assert list(lineage(text, TABLES, []).relation.columns) == ["id", "origin", "at", "big", "one"]


def test_a_correlated_subquery_sees_the_outer_row() -> None:
    text = """
        select (select max(p.at) from s.ports p where p.origin = f.origin) as seen from s.flights f
    """
    assert sources(text, "seen") == {
        "s.ports.at AGGREGATION",
        "s.ports.origin CONDITIONAL",
        "s.flights.origin CONDITIONAL",
    }


def test_group_by_a_position_means_that_entry() -> None:
    assert rows("select origin, count(*) as n from s.flights group by 1") == {
        "s.flights.origin GROUP_BY"
    }


def test_what_can_not_be_placed_stands_for_every_column_read() -> None:
    found = lineage("select nowhere as x, id from s.flights", TABLES, ["x", "id", "gone"])
    assert found.unresolved == ("nowhere", "output gone")
    everything = {f"s.flights.{name} CONDITIONAL" for name in TABLES["s.flights"]}
    for column in ("x", "gone"):
        assert {f"{s.field} {s.how}" for s in found.relation.columns[column].sources} == everything
    assert [str(s.field) for s in found.relation.columns["id"].sources] == ["s.flights.id"]


def test_what_can_not_be_read_at_all_stands_for_every_column_known() -> None:
    found = lineage("select from from where", TABLES, ["x"])
    assert len(found.unresolved) == 1
    assert len(found.relation.columns["x"].sources) == 7
