"""What the templates need of each kind of question: its states, its row key, the model's inputs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.scaffold.asked import Asked
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.literals import number, sql_text
from pipelines.scaffold.names import described, units_of
from pipelines.scaffold.picks import ACTIVE_DAYS, LABEL_DAYS, Picks
from pipelines.scaffold.series import Series

EVERYBODY = "population"
_DAY_MINUTES = 1440
_NUMBERS = ("bigint", "double", "boolean")
# So long a user is remembered, and so many items of theirs.
_REMEMBERED_DAYS, _ITEMS_MAX = 365, 200


def question(proposal: Proposal) -> Mapping[str, Any]:
    """By the names that the templates have for them."""
    if proposal.series:
        return _of_series(proposal, proposal.series)
    return _of_picks(proposal, proposal.picks) if proposal.picks else _of_rows(proposal)


def _state(
    name: str, keys: Sequence[str], *, step: int | None = _DAY_MINUTES, ttl_days: int = 2
) -> Mapping[str, Any]:
    return {
        "name": name,
        "keys": list(keys),
        "step_minutes": step,
        "ttl_minutes": ttl_days * _DAY_MINUTES,
    }


def _of_rows(proposal: Proposal) -> Mapping[str, Any]:
    """A decision a row, beside the state of the entity that it is of."""
    entity = proposal.entity.name if proposal.entity else EVERYBODY
    state = f"{entity}_states"
    key = proposal.key
    numeric = [e.name for e in proposal.inputs if e.type in _NUMBERS and e.name not in key]
    features = (f"{state}__{feature}" for feature in Asked(proposal).features)
    return {
        "has_entity": proposal.entity is not None,
        "entity": entity,
        "state": state,
        "states": [_state(state, [entity])],
        "row_key": list(key),
        "model_label": proposal.label,
        "numeric": [*numeric, *features],
        "categorical": [each.name for each in proposal.inputs if each.is_category],
    }


def _of_series(proposal: Proposal, series: Series) -> Mapping[str, Any]:
    """A decision a series and step ahead at each midnight."""
    step, label, state = series.step, proposal.label, "series_states"
    named = [name for name in proposal.key if name != "event_at"]
    keys, lags = named or [EVERYBODY], [f"{label}_{lag}{step.mark}_before" for lag in step.lags]
    means = [f"{state}__{label}_mean_{span}{step.mark}" for span in step.spans]
    calendar, limits = list(_calendar(proposal, series)), proposal.target.limits
    horizon = f"horizon_{step.word}s"
    return {
        "has_entity": bool(named),
        "series": keys,
        "series_columns": _described(proposal, named),
        "state": state,
        "states": [_state(state, keys, ttl_days=1)],
        "row_key": [*keys, "target_at", horizon],
        "model_label": label,
        "labels_come_later": True,
        "watched_limits": True,
        "numeric": [horizon, *(e["name"] for e in calendar), *lags, f"naive_{label}", *means],
        "categorical": named,
        "step": step,
        "horizon": series.horizon,
        "days_ahead": series.days_ahead,
        "lags": list(step.lags),
        "seasons": list(series.seasons),
        "days_of_lag": " // 24" if step.word == "hour" else "",
        "history_days_of_rows": series.history_days,
        "spans": list(step.spans),
        "last_days": step.spans[-1] // step.a_day,
        "calendar": calendar,
        "is_never_negative": series.is_never_negative,
        "label_limits": [number(end or 0) for end in (limits.low, limits.high)] if limits else [],
        # What a column's name says of its unit, its description spells out.
        "about": "; ".join([label, *units_of(label)]),
    }


def _described(proposal: Proposal, named: Sequence[str]) -> Sequence[Mapping[str, str]]:
    found = {each.name: each.description for each in proposal.inputs}
    return [{"name": name, "description": found[name]} for name in named] or [
        {"name": EVERYBODY, "description": "the one series: the constant all"}
    ]


def _calendar(proposal: Proposal, series: Series) -> Iterator[Mapping[str, str]]:
    """The target's place in the day, the week and the year, where the series is at home."""
    # A day is its date, whatever the zone.
    zone = (proposal.ask.zone if series.step.word == "hour" else None) or "UTC"
    local = f"from_utc_timestamp(target_at, {sql_text(zone)})"
    if series.step.word == "hour":
        said = f"Hour of the day, 0 to 23, in {zone}"
        yield {"name": "local_hour", "sql": f"hour({local})", "description": said}
    said = f"Day of the week, 1 (Monday) to 7, in {zone}"
    yield {"name": "local_weekday", "sql": f"weekday({local}) + 1", "description": said}
    said = f"Month of the year, 1 to 12, in {zone}"
    yield {"name": "local_month", "sql": f"month({local})", "description": said}


def _of_picks(proposal: Proposal, picks: Picks) -> Mapping[str, Any]:
    """A list a user at each midnight, and as they go on."""
    ask, names = proposal.ask, proposal.shape.columns
    stars = names[ask.label] if ask.label else ""
    who, what = ask.named
    return {
        "has_entity": True,
        "state": "user_states",
        "states": [
            _state("user_states", ["user_id"], step=None, ttl_days=_REMEMBERED_DAYS),
            _state("candidates", ["item_id"]),
        ],
        "row_key": ["user_id", "asked_at"],
        "model_label": f"items_taken_next_{LABEL_DAYS}d",
        "model": "next",
        "label_is_late": "",
        "labels_come_later": True,
        "watched_limits": True,
        "tables": ["silver.rows", "gold.candidates"],
        "floor": round(picks.popular_ndcg, 3),
        "cadence": "weekly",
        "numeric": ["user_states__num_items_taken"],
        "categorical": [],
        "numeric_lists": [f"user_states__{stars}_given"] if stars else [],
        "number": stars,
        "number_description": described(ask.label, stars),
        "user_description": described(who, "user_id"),
        "item_description": described(what, "item_id"),
        "remembered_days": _REMEMBERED_DAYS,
        "items_max": _ITEMS_MAX,
        "active_days": ACTIVE_DAYS,
        "label_days": LABEL_DAYS,
    }
