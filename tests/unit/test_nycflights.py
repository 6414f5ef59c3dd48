"""The flights of 2013 in UTC: literals worked out by hand, and sums over all of them."""

import pandas as pd
import pytest

from pipelines.core.errors import MillraceError
from pipelines.data.extract.sources.flights import nycflights


def of_flight(
    facts: pd.DataFrame, day: str, carrier: str, number: int, origin: str
) -> pd.DataFrame:
    return facts[
        (facts["local_date"] == pd.Timestamp(day))
        & (facts["carrier"] == carrier)
        & (facts["flight_number"] == number)
        & (facts["origin"] == origin)
    ]


@pytest.mark.parametrize(
    ("day", "carrier", "number", "origin", "departure", "arrival"),
    [
        # 5:15 in New York and 8:19 in Houston, in winter.
        ("2013-01-01", "UA", 1545, "EWR", "2013-01-01T10:15", "2013-01-01T14:19"),
        # 9:30 to 15:35 in Honolulu, which is UTC-10: eleven hours.
        ("2013-12-06", "HA", 51, "JFK", "2013-12-06T14:30", "2013-12-07T01:35"),
        # 6:56 to 11:45 in San Juan, which the airports table lacks: UTC-4.
        ("2013-12-06", "DL", 2275, "JFK", "2013-12-06T11:56", "2013-12-06T15:45"),
        # 23:59 to 4:37 of the next day, which is the next year.
        ("2013-12-31", "B6", 839, "JFK", "2014-01-01T04:59", "2014-01-01T08:37"),
        # 22:45 to 0:03 in Rochester, an evening after the clock went back: the arrival's clock
        # time on the day of departure was still summer time.
        ("2013-11-03", "B6", 486, "JFK", "2013-11-04T03:45", "2013-11-04T05:03"),
    ],
)
def test_plans_in_utc(
    day: str, carrier: str, number: int, origin: str, departure: str, arrival: str
) -> None:
    (row,) = of_flight(nycflights.flights(), day, carrier, number, origin).to_dict("records")
    assert row["scheduled_departure_at"] == pd.Timestamp(departure)
    assert row["scheduled_arrival_at"] == pd.Timestamp(arrival)


@pytest.mark.parametrize(
    ("day", "carrier", "number", "origin", "told"),
    [
        # Left 80 minutes late, at 19:45, and arrived 40 late, at 22:29 in Seattle.
        (
            "2013-12-06",
            "AS",
            5,
            "EWR",
            [
                ("departed", 80, None, "2013-12-07T00:45:00", "2013-12-07T00:45:30"),
                ("arrived", 40, 314, "2013-12-07T06:29:00", "2013-12-07T06:29:30"),
            ],
        ),
        # Planned for 18:15 and cancelled: told an hour after that.
        (
            "2013-12-06",
            "9E",
            2915,
            "JFK",
            [("cancelled", None, None, "2013-12-07T00:15:00", "2013-12-07T00:15:30")],
        ),
        # Due in San Francisco at 20:14, left in time, landed elsewhere: told an hour after that.
        (
            "2013-12-06",
            "UA",
            1284,
            "EWR",
            [
                ("departed", -3, None, "2013-12-06T21:36:00", "2013-12-06T21:36:30"),
                ("diverted", None, None, "2013-12-07T05:14:00", "2013-12-07T05:14:30"),
            ],
        ),
        # Left 308 minutes late, two and a half hours after it was due: 22:45 + 308 + 60 minutes.
        (
            "2013-03-03",
            "MQ",
            4309,
            "JFK",
            [
                ("departed", 308, None, "2013-03-04T01:18:00", "2013-03-04T01:18:30"),
                ("diverted", None, None, "2013-03-04T04:53:00", "2013-03-04T04:53:30"),
            ],
        ),
    ],
)
def test_what_became_of_a_flight(
    day: str, carrier: str, number: int, origin: str, told: list[tuple[object, ...]]
) -> None:
    rows = of_flight(nycflights.movements(), day, carrier, number, origin)
    columns = ["movement", "delay_minutes", "air_time_minutes", "event_at", "known_at"]
    found = [tuple(row) for row in rows[columns].astype(object).itertuples(index=False)]
    expected = [(*row[:3], pd.Timestamp(str(row[3])), pd.Timestamp(str(row[4]))) for row in told]
    assert [tuple(None if pd.isna(value) else value for value in row) for row in found] == expected


def test_the_plan_of_a_utc_day_is_published_the_evening_before() -> None:
    (row,) = of_flight(nycflights.schedule(), "2013-12-31", "B6", 839, "JFK").to_dict("records")
    assert row["event_at"] == pd.Timestamp("2013-12-31T18:00:00")
    assert row["known_at"] == pd.Timestamp("2013-12-31T18:00:30")


def test_every_flight_has_its_messages() -> None:
    """Counted in the source: 8,255 never left; of the others 1,175 arrived nowhere planned."""
    counts = nycflights.movements()["movement"].value_counts()
    assert counts.to_dict() == {
        "departed": 336_776 - 8_255,
        "arrived": 336_776 - 9_430,
        "cancelled": 8_255,
        "diverted": 9_430 - 8_255,
    }
    names = ["local_date", "carrier", "flight_number", "origin"]
    assert not nycflights.flights().duplicated(names).any()


def test_every_flight_has_room_for_its_minutes_in_the_air() -> None:
    """A wrong day or zone of an arrival would leave less than no time on the ground, or hours."""
    flown = nycflights.flights().dropna(subset="arrival_delay")
    planned = flown["scheduled_arrival_at"] - flown["scheduled_departure_at"]
    gained = flown["arrival_delay"] - flown["departure_delay"]
    ground = planned.dt.total_seconds() / 60 + gained - flown["air_time_minutes"].astype(float)
    # 235: LAX closed on 1 November, and VX 399 waited.
    assert (ground.min(), ground.max()) == (5, 235)


def test_nothing_arrives_or_is_diverted_before_it_left() -> None:
    names = ["local_date", "carrier", "flight_number", "origin"]
    told = nycflights.movements().set_index(names)
    left = told.loc[told["movement"] == "departed", "event_at"]
    ended = told.loc[told["movement"].isin(["arrived", "diverted"]), "event_at"]
    assert (ended > left.reindex(ended.index)).all()


def test_shares_that_the_design_names() -> None:
    """11.4 % fly on another UTC date than their local one; 8.2 % arrive after local midnight."""
    plan = nycflights.flights()
    other_date = plan["scheduled_departure_at"].dt.floor("D") != plan["local_date"]
    assert round(other_date.mean(), 4) == 0.1142
    told = nycflights.movements()
    arrived = told[told["movement"] == "arrived"]
    local = arrived["known_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    late_label = local.dt.tz_localize(None).dt.floor("D") > arrived["local_date"]
    assert round(late_label.mean(), 4) == 0.0821


def test_what_the_source_does_not_know_stays_unknown() -> None:
    assert nycflights.planes()["year_built"].isna().sum() == 70
    assert nycflights.airports()["time_zone"].isna().sum() == 3
    assert nycflights.flights()["tail_number"].isna().sum() == 2_512
    weather = nycflights.weather()
    assert (len(weather), weather["pressure_millibars"].isna().sum()) == (26_115, 2_729)


def test_other_data_than_the_published_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nycflights.CHECKSUMS, "airlines.csv", "0" * 64)
    with pytest.raises(MillraceError, match=r"airlines\.csv is not the published file"):
        nycflights.read("airlines.csv")
