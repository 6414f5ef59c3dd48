"""A proposal as the texts of all of a case's files, by their path in the repository."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.data.extract.tables import HIDDEN
from pipelines.data.reading.dialect import RFC_4180
from pipelines.data.reading.notation import PLAIN
from pipelines.scaffold import asked, golden
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.inputs import QUARANTINE_RATE_MAX
from pipelines.scaffold.literals import (
    WIDTH,
    call,
    exploded,
    import_order,
    names,
    number,
    quoted,
    said,
    wrapped,
    yaml_text,
)
from pipelines.scaffold.names import described
from pipelines.scaffold.plan import num_days, planned
from pipelines.scaffold.questions import question

_DBT = "pipelines/data/transform/dbt/models/{name}"
# Every file of a case, by its template.
FILES: Mapping[str, str] = {
    "use_case.py": "pipelines/use_cases/{name}.py",
    "source.py": "pipelines/data/extract/sources/{name}.py",
    "expectations.py": "expectations/{name}.py",
    "features.py": "features/{name}.py",
    "model.py": "models/{name}.py",
    "sources.yml": f"{_DBT}/sources.yml",
    "rows.sql": f"{_DBT}/silver/{{name}}_rows.sql",
    "rows.yml": f"{_DBT}/silver/{{name}}_rows.yml",
    "states.sql": f"{_DBT}/gold/{{name}}_{{state}}.sql",
    "states.yml": f"{_DBT}/gold/{{name}}_{{state}}.yml",
    "decisions.sql": f"{_DBT}/gold/{{name}}_decisions.sql",
    "decisions.yml": f"{_DBT}/gold/{{name}}_decisions.yml",
    "labels.sql": f"{_DBT}/gold/{{name}}_labels.sql",
    "labels.yml": f"{_DBT}/gold/{{name}}_labels.yml",
    "test.py": "tests/unit/test_{name}.py",
}
# And those of one task alone.
FILES_OF_TASK: Mapping[str, Mapping[str, str]] = {
    "ranking": {
        "candidates.sql": f"{_DBT}/gold/{{name}}_candidates.sql",
        "candidates.yml": f"{_DBT}/gold/{{name}}_candidates.yml",
    }
}


def rendered(proposal: Proposal, today: date) -> dict[str, str]:
    """Every file's text, by its path."""
    # SQL keeps jinja's own marks for dbt.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Python, SQL and YAML: `literals` quotes what is put in
    )
    sample, task = golden.text_of(proposal), proposal.target.task
    values = _values(proposal, today) | golden.expected(proposal, sample)
    texts = {
        path.format(name=values["name"], state=values["state"]): environment.select_template(
            # A task's own template goes before the one for all.
            [f"{task}/{template}.j2", f"{template}.j2"]
        ).render(values)
        for template, path in {**FILES, **FILES_OF_TASK.get(task, {})}.items()
    }
    return texts | {f"tests/golden/{proposal.ask.name}_sample.csv": sample}


def _values(proposal: Proposal, today: date) -> dict[str, Any]:
    """What every template may name."""
    ask, entity = proposal.ask, proposal.entity
    about = entity.description if entity else "everybody: the constant all"
    label = asked.Asked(proposal)
    plan = planned(proposal)
    key_inputs = [each for each in proposal.inputs if each.name in proposal.key]
    return {
        "names": names,
        "yaml": yaml_text,
        "name": ask.name,
        "provenance": wrapped(_provenance(proposal, today)),
        "today": today.isoformat(),
        "columns": _columns(proposal),
        "inputs": proposal.inputs,
        "key": list(proposal.key),
        "key_inputs": key_inputs,
        "label": proposal.label,
        "label_columns": [*(each.name for each in key_inputs), "event_at"],
        "label_description": described(ask.outcome, proposal.label),
        "label_is_late": "; null until known",
        "labels_come_later": False,
        "watched_limits": False,
        "cadence": "nightly",
        "tables": [],
        "entity_description": about,
        "num_days": num_days(proposal),
        "rows_a_day": number(float(f"{proposal.num_rows / num_days(proposal):.3g}")),
        "history_days": max(28, (today - proposal.first_day).days),
        "quarantine_rate_max": QUARANTINE_RATE_MAX,
        "plan": plan,
        "correction_days": max(90, 2 * plan.evaluation_days),
        "rule_names": _rule_names(proposal),
        "rules": _rules(proposal, label),
        "test_imports": sorted(
            (f"use_cases.{ask.name} import ROWS", "use_cases.spec.interval import Interval"),
            key=lambda line: import_order(f"pipelines.{line.split()[0]}"),
        ),
        **label.values(plan),
        **_source(proposal),
        **question(proposal),
    }


def _provenance(proposal: Proposal, today: date) -> str:
    which = "all" if proposal.is_whole else "the first"
    return (
        f"Proposed on {today} from {which} {proposal.num_rows:,} rows of {proposal.ask.location}, "
        f"{proposal.first_day} to {proposal.last_day}; every figure is for you to edit."
    )


def _columns(proposal: Proposal) -> list[str]:
    """The feed's columns as Python; one that may have gaps may be missing from a file."""
    label = described(proposal.ask.outcome, proposal.label)
    if proposal.picks is None:
        label = f"{label}; empty until it is known"
    rows = [
        *(
            (e.name, e.type, e.description, not e.always and e.name not in proposal.key)
            for e in proposal.inputs
        ),
        (proposal.label, proposal.target.type, label, proposal.picks is None),
        ("event_at", "timestamp", "when it happened, UTC", False),
        ("known_at", "timestamp", "when the row became known, UTC", False),
    ]
    return [
        call(
            "Column(",
            [*map(quoted, (name, kind, said)), *(["optional=True"] if optional else [])],
            ")",
            8,
        )
        for name, kind, said, optional in rows
    ]


def _rule_names(proposal: Proposal) -> str:
    """The rules that the contract uses, as its import has them."""
    limits = [proposal.target.limits, *(each.limits for each in proposal.inputs)]
    used = {
        "Between": any(each and each.are_any for each in limits),
        "InSet": proposal.target.task == "multiclass",
    }
    return ", ".join(sorted([*(name for name in used if used[name]), "NotNull", "Rule"]))


def _rules(proposal: Proposal, label: asked.Asked) -> str:
    rules = []
    for each in proposal.inputs:
        if each.always:
            because = f"because={quoted(each.always)}"
            rules.append(call("NotNull(", [quoted(each.name), because], ")", 4))
        if found := asked.between(each.name, each.limits, 4):
            rules.append(found)
    return exploded("(", [*rules, *(["_LABEL"] if label.rule else [])], ")")


def _source(proposal: Proposal) -> dict[str, Any]:
    """What the template of the source alone needs."""
    ask, shape = proposal.ask, proposal.shape
    pairs = [f"{quoted(source)}: {quoted(name)}" for source, name in shape.columns.items()]
    label, words = shape.label, [quoted(ask.outcome)]
    if label.positive is not None and label.negative is not None:
        words += [f"positive={_word(label.positive)}", f"negative={_word(label.negative)}"]
    if label.spellings:
        same = [f"{quoted(text)}: {quoted(name)}" for text, name in label.spellings.items()]
        words.append(f"spellings={call('{', same, '}', 8)}")
    notations = [f"{quoted(n)}: {said(each, PLAIN, 8)}" for n, each in shape.notations.items()]
    whole = [quoted(name) for name in sorted(shape.whole)]
    variable = f"MILLRACE_SOURCE_{ask.name.upper()}"
    comment = f"# Its secret is not written here: {variable} has the whole address."
    too_long = len(quoted(ask.location)) + len("LOCATION = ") > WIDTH
    is_temporary = ask.location.startswith(("/tmp", "/var/tmp", "/dev/shm"))  # noqa: S108
    unminded = ["E501"] * too_long + ["S108"] * is_temporary
    noqa = f"  # noqa: {', '.join(unminded)}" if unminded else ""
    return {
        "rule": wrapped(_rule(proposal)),
        "location_comment": comment if HIDDEN in ask.location else "",
        "location": quoted(ask.location) + noqa,
        "mapping": call("{", pairs, "}", 4),
        "event_at": quoted(shape.event_at),
        "known_at": shape.known_at and quoted(shape.known_at),
        "label_known_at": shape.label_known_at and quoted(shape.label_known_at),
        "label_words": call("Label(", words, ")", 4),
        "dialect": said(proposal.dialect, RFC_4180, 0) if proposal.dialect != RFC_4180 else "",
        "notations": exploded("{", notations, "}", 4) if notations else "",
        "whole": f"frozenset({{{', '.join(whole)}}})" if whole else "",
        "begins": shape.begins and f"date({shape.begins.year}, {shape.begins:%-m, %-d})",
    }


def _word(said: str | tuple[str, ...]) -> str:
    return quoted(said) if isinstance(said, str) else names(said)


def _rule(proposal: Proposal) -> str:
    shape = proposal.shape
    row = (
        f"A row is known at its column {shape.known_at}."
        if shape.known_at
        else f"A row is known at the instant of the event itself, {shape.event_at}."
    )
    label = (
        f"Its label is known at {shape.label_known_at}: the row is published twice, first without "
        "its label; without that time the label counts as not known."
        if shape.label_known_at
        else "Its label is known with it; a row may come first without a label."
    )
    said = row if proposal.picks else f"{row} {label}"
    return (
        f"{said} A date is its midnight, and an instant without a zone is taken as UTC. A "
        "row whose instant can't be read is published with the row before it, and quarantined."
    )
