"""The day on which this home was first started: the schedule begins there, and never moves."""

from datetime import date

from pipelines.core.settings import Settings


def day(settings: Settings) -> date:
    """That day, UTC; today if it was never started."""
    path = settings.home / "first_started"
    return date.fromisoformat(path.read_text()) if path.exists() else settings.clock().date()


def remember(settings: Settings) -> None:
    """Keep today as that day, unless there is one already."""
    path = settings.home / "first_started"
    if not path.exists():
        path.write_text(settings.clock().date().isoformat())
