"""The error tree: each name says what failed, each message says where and what to do."""


class MillraceError(Exception):
    """A failure with one clear line for the person who reads it (exit code 1)."""


class UsageError(MillraceError):
    """The call itself was wrong: unknown case, stage, interval or option (exit code 2)."""


class NothingDue(MillraceError):
    """There was nothing to do, and that is fine (exit code 99: Airflow shows *skipped*)."""


class BatchRefused(MillraceError):
    """A whole batch was refused before anything was written; names the file and the field."""


class CheckFailed(MillraceError):
    """A table expectation or the quarantine gate failed, so nothing was published."""


class Superseded(MillraceError):
    """A newer attempt took over this case; the older one may not commit any more."""


class ServiceUnavailable(MillraceError):
    """A part of the platform could not be started or reached."""


class NewerHome(MillraceError):
    """The home was written by a newer version of this code, and is left as it is."""
