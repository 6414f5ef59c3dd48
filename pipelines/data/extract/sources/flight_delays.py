"""The flights, as each is planned and as it goes."""

from pipelines.core.settings import Settings
from pipelines.core.source import Source
from pipelines.data.extract.sources import flights
from pipelines.use_cases.spec.interval import Interval


def source(settings: Settings, interval: Interval) -> Source:
    """The flights' source system; see `flights.source`."""
    return flights.source("flight_delays", settings, interval)
