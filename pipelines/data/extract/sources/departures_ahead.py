"""The flights, of which the departures of each hour are counted."""

from pipelines.core.settings import Settings
from pipelines.core.source import Source
from pipelines.data.extract.sources import flights
from pipelines.use_cases.spec.interval import Interval


def source(settings: Settings, interval: Interval) -> Source:
    """The flights' source system; see `flights.source`."""
    return flights.source("departures_ahead", settings, interval)
