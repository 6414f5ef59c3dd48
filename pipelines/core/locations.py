"""Where the tables of the cases lie, each by a variable of its own: a part of the settings."""

import os
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

_VARIABLE = "MILLRACE_SOURCE_"


class SourceLocations(PydanticBaseSettingsSource):
    """`MILLRACE_SOURCE_LOANS=/data/loans.csv` is the *location* that `loans` is told."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        located = {
            name.removeprefix(_VARIABLE).lower(): {"location": value}
            for name, value in os.environ.items()
            if name.startswith(_VARIABLE) and value
        }
        return {"sources": located} if located else {}
