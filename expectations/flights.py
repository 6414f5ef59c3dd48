"""What the rows of the flights' feeds must look like, in whichever case they are read.

Every limit was held against all of the source's 336,776 flights and 26,115 hours of weather; one
real row breaks its rule (a wind of 1,048 mph at Newark on 12 February).
"""

from expectations.rules import Between, InSet, Matches, NotNull, Ordered, Rule

AIRPORT_CODE = "[A-Z0-9]{3}"
CARRIER_CODE = "[A-Z0-9]{2}"
# One real aircraft is D942DN; the others start with N.
TAIL_NUMBER = "[A-Z][A-Z0-9]{4,5}"
MOVES = ("departed", "arrived", "cancelled", "diverted")
_FLOWN = ("movement", ("departed", "arrived"))

_FLIGHT: tuple[Rule, ...] = (
    Matches("carrier", CARRIER_CODE, because="IATA names airlines by two characters"),
    NotNull("carrier", because="states are grouped by airline"),
    Between("flight_number", 1, 9999, because="airlines print at most four digits"),
    NotNull("flight_number", because="it is part of the flight's identity"),
    Matches("tail_number", TAIL_NUMBER, because="registrations are 5 or 6 characters"),
    InSet("origin", ("EWR", "JFK", "LGA"), because="the case is the flights out of New York"),
    NotNull("origin", because="states are grouped by airport of departure"),
    Matches("destination", "[A-Z]{3}", because="IATA names airports by three letters"),
    NotNull("destination", because="states are grouped by airport of arrival"),
    NotNull("scheduled_departure_at", because="the moment of decision is counted from it"),
    NotNull("scheduled_arrival_at", because="lateness is counted from it"),
    Ordered(
        "scheduled_departure_at",
        "scheduled_arrival_at",
        because="both are UTC, so no flight arrives before it leaves",
    ),
)

SCHEDULE: tuple[Rule, ...] = (
    *_FLIGHT,
    NotNull("local_date", because="weekday and holiday are read from it"),
    NotNull("local_hour", because="the hour of departure is a feature"),
    Between("local_hour", 0, 23, because="hours of a day"),
    NotNull("local_minute", because="the time of departure is a feature"),
    Between("local_minute", 0, 59, because="minutes of an hour"),
    NotNull("distance_miles", because="it is a feature of every flight"),
    Between("distance_miles", 10, 6000, because="17 (to LaGuardia) to 4,983 (to Honolulu)"),
)

MOVEMENTS: tuple[Rule, ...] = (
    *_FLIGHT,
    InSet(
        "movement",
        MOVES,
        because="the states and the labels know these four",
    ),
    NotNull("delay_minutes", when=_FLOWN, because="it is the label and the live signal"),
    Between("delay_minutes", -120, 2000, because="the year's are from -86 to 1,301"),
    Between("air_time_minutes", 10, 1000, because="the year's are from 20 to 695"),
)

WEATHER_VALUES: tuple[Rule, ...] = (
    Between("temperature_fahrenheit", -60, 130, because="colder or hotter is a broken sensor"),
    Between("dew_point_fahrenheit", -80, 100, because="95 is the highest ever measured"),
    Between("humidity_percent", 0, 100, because="a share"),
    Between("wind_direction_degrees", 0, 360, because="a compass; 0 is calm, 360 is north"),
    Between("wind_speed_mph", 0, 250, because="253 is the strongest gust ever measured"),
    Between("wind_gust_mph", 0, 255, because="253 is the strongest gust ever measured"),
    Between("precipitation_inches", 0, 15, because="12 in an hour is the world record"),
    Between("pressure_millibars", 850, 1090, because="the records are 870 and 1,084"),
    Between("visibility_miles", 0, 10, because="American stations report at most 10"),
)
WEATHER: tuple[Rule, ...] = (
    Matches("origin", AIRPORT_CODE, because="IATA names airports by three characters"),
    *WEATHER_VALUES,
)
