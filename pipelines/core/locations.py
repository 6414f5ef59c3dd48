"""Where the tables of the cases lie, each by a variable of its own: a part of the settings."""

import os

from pydantic_settings import BaseSettings, InitSettingsSource

_VARIABLE = "MILLRACE_SOURCE_"


def source_locations(settings: type[BaseSettings]) -> InitSettingsSource:
    """`MILLRACE_SOURCE_LOANS=/data/loans.csv` is the *location* that `loans` is told."""
    located = {
        name.removeprefix(_VARIABLE).lower(): {"location": value}
        for name, value in os.environ.items()
        if name.startswith(_VARIABLE) and value
    }
    return InitSettingsSource(settings, {"sources": located} if located else {})
