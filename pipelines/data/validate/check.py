"""One table's check and its verdict, apart from any engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pipelines.use_cases.spec.use_case import Layer

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation
    from pyspark.sql import DataFrame

    from pipelines.stores.gx import Result

State: TypeAlias = Literal["passed", "warned", "failed"]

# Arguments of an expectation that say where and how to look, not for what.
_NOT_EXPECTED = {
    *("batch_id", "column", "column_A", "column_B", "column_list"),
    *("ignore_row_if", "condition_parser"),
}
# Of a sample of a bad value; all of it is among the kept results.
_SAMPLE_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Check:
    """The version of a table that is to be proven, the rows to look at, what is expected."""

    layer: Layer
    name: str
    version: int
    frame: "DataFrame | pd.DataFrame"
    expectations: "Sequence[Expectation]"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one expectation found.

    Attributes:
        expected: its arguments, such as limits, without the columns.
        samples: some of the bad values, as text.
        error: why it could not be judged.
    """

    expectation: str
    column: str
    expected: Mapping[str, Any]
    success: bool
    severity: str
    observed: Any
    samples: Sequence[str]
    because: str
    error: str | None

    def __str__(self) -> str:
        about = f"{self.expectation}({self.column})"
        if self.error:
            return f"{about} could not be judged: {self.error}"
        return f"{about} observed {self.observed} ({self.because})"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a table may be published, and all that was found."""

    table: str
    statistics: Mapping[str, Any]
    findings: Sequence[Finding]

    @property
    def failures(self) -> Sequence[Finding]:
        """What forbids publication: a broken critical expectation, or one not judged."""
        return [f for f in self.findings if f.error or (not f.success and f.severity == "critical")]

    @property
    def warnings(self) -> Sequence[Finding]:
        """What people should know, but does not hold the data back."""
        return [f for f in self.findings if not f.success and f not in self.failures]

    @property
    def state(self) -> State:
        if self.failures:
            return "failed"
        return "warned" if self.warnings else "passed"


def judge(table: str, result: "Result") -> Verdict:
    """Read a result of Great Expectations.

    Raises:
        ValueError: it judged nothing, which proves nothing.
    """
    if not result.results:
        raise ValueError(f"{table}: no expectation was judged; its suite is empty")
    findings = [_finding(found.to_json_dict()) for found in result.results]
    return Verdict(table=table, statistics=dict(result.statistics), findings=findings)


def _finding(found: Mapping[str, Any]) -> Finding:
    config, result = found["expectation_config"], found["result"]
    kwargs = config["kwargs"]
    columns = kwargs.get("column_list") or [kwargs.get("column_A"), kwargs.get("column_B")]
    column = kwargs.get("column") or ", ".join(name for name in columns if name)
    given = {name: kwargs[name] for name in kwargs if name not in _NOT_EXPECTED}
    notes = config.get("notes") or ""
    return Finding(
        expectation=config["type"],
        column=column,
        expected={name: value for name, value in given.items() if value is not None},
        success=bool(found["success"]),
        severity=config.get("severity") or "critical",
        observed=_observed(result),
        samples=_samples(result),
        because=notes if isinstance(notes, str) else " ".join(notes),
        error=_error(found["exception_info"]),
    )


def _observed(result: Mapping[str, Any]) -> Any:
    if "unexpected_count" not in result:
        value: Any = result.get("observed_value")
        return value.item() if hasattr(value, "item") else value
    bad, of = result["unexpected_count"], result["element_count"]
    samples = _samples(result)
    shown = f", such as {', '.join(samples[:3])}" if samples else ""
    return f"{bad} of {of} bad{shown}"


def _samples(result: Mapping[str, Any]) -> list[str]:
    found = result.get("partial_unexpected_list") or []
    return [str(each)[:_SAMPLE_LENGTH] for each in found]


def _error(info: Mapping[str, Any]) -> str | None:
    """Great Expectations gives one entry, or one a metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    raised = [entry for entry in entries if entry["raised_exception"]]
    if not raised:
        return None
    return str(raised[0]["exception_message"] or raised[0]["exception_traceback"])[-500:]
