"""Feature services of flight_delays."""

from collections.abc import Sequence

from feast import FeatureService, FeatureView

ABOUT = "What the first model of flight_delays may ask for"


def services(views: Sequence[FeatureView]) -> list[FeatureService]:
    """All views at first: the model chooses by itself."""
    name = "flight_delays_v1"
    return [FeatureService(name=name, features=list(views), description=ABOUT)]
