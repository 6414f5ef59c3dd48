"""Feature services of film_picks."""

from collections.abc import Sequence

from feast import FeatureService, FeatureView

ABOUT = "What a model of film_picks may ask for: of people, and of the films to choose from"


def services(views: Sequence[FeatureView]) -> list[FeatureService]:
    """All views."""
    return [FeatureService(name="film_picks_v1", features=list(views), description=ABOUT)]
