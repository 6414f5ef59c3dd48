"""The platform's own servers: started, watched, asked and stopped as one.

`ensure` costs a few milliseconds when all is up, so that every stage may call it.
"""

from pipelines.services.control import clean, ensure, health, start, stop
from pipelines.services.first_start import day as schedule_since

__all__ = ["clean", "ensure", "health", "schedule_since", "start", "stop"]
