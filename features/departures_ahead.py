"""Feature services of departures_ahead."""

from collections.abc import Sequence

from feast import FeatureService, FeatureView

ABOUT = "What the models of departures_ahead may ask for, beside the decision's own columns"


def services(views: Sequence[FeatureView]) -> list[FeatureService]:
    """All views: the last hours of the series and of its airport, and the weather there."""
    name = "departures_ahead_v1"
    return [FeatureService(name=name, features=list(views), description=ABOUT)]
