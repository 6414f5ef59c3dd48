"""What a prediction, or one version of a table, was made of: pure, from the journal's history."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from pipelines.core.outcomes import Ingested, Transformed
from pipelines.insight import values
from pipelines.insight.lineage import trees
from pipelines.insight.lineage.case import CaseLineage, landing_name, model_name
from pipelines.insight.lineage.history import History, Publication, Run
from pipelines.insight.lineage.predictions import Prediction
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

FactKind: TypeAlias = Literal["prediction", "model", "table", "files"]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something with a version, what the journal says of it, and what it was made of."""

    kind: FactKind
    name: str
    version: int | str | None = None
    run: Run | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    made_of: Sequence["Fact"] = ()

    @property
    def title(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Provenance:
    """What versions are made of; narrows a run's tables to those that one table reads."""

    case: UseCase
    lineage: CaseLineage
    history: History
    _tables: dict[tuple[str, int], Fact] = field(default_factory=dict, compare=False, repr=False)

    def prediction(self, said: Prediction) -> Fact:
        """The answer, by which version of the model, from which versions of the tables."""
        model, version = said.model, said.id.model_version
        run = self.history.answered(model.name, version, said.predicted_at)
        table = self.case.table("gold", model.predictions)
        return Fact(
            kind="prediction",
            name=str(said.id),
            run=run,
            details={
                "answer": dict(said.answer),
                "predicted_at": said.predicted_at.isoformat(),
            },
            made_of=[self.model(model, version), *(self._read(table, run) if run else ())],
        )

    def model(self, model: Model, number: int) -> Fact:
        """A version of a model, and its training set."""
        run = self.history.training(model.name, number)
        names = ("run_id", "cutoff", "fingerprint", "digest")
        return Fact(
            kind="model",
            name=model_name(self.case.name, model.name),
            version=number,
            run=run,
            details={name: _plain(getattr(run.details, name)) for name in names} if run else {},
            made_of=[self.table(name, v) for name, v in run.reads.items()] if run else (),
        )

    def table(self, name: str, version: int) -> Fact:
        """A table at a version: its parts by interval, and the newest versions they were made of.

        A later version of a table holds the parts of the earlier ones, so the newest says all.
        Many ways lead to one version: it is worked out once.
        """
        if (name, version) not in self._tables:
            self._tables[name, version] = self._table(name, version)
        return self._tables[name, version]

    def _table(self, name: str, version: int) -> Fact:
        run, parts = self.history.writer(name, version), self.history.parts(name, version)
        writers = [self.history.writer(name, part.version) for part in parts]
        runs = [each for each in (*writers, run) if each]
        details = {"parts": [_part_json(*part) for part in zip(parts, writers, strict=True)]}
        if run and isinstance(run.details, Ingested):
            made_of = [self._files(name, parts, writers)]
        else:
            made_of = self._newest(name, runs)
        return Fact(
            kind="table", name=name, version=version, run=run, details=details, made_of=made_of
        )

    def _newest(self, name: str, runs: Sequence[Run]) -> list[Fact]:
        versions: dict[str, int] = {}
        wanted = self._reads(name)
        for run in runs:
            for table, version in _versions(name, run, wanted):
                versions[table] = max(version, versions.get(table, version))
        return [self.table(table, version) for table, version in sorted(versions.items())]

    def _read(self, name: str, run: Run) -> list[Fact]:
        versions = _versions(name, run, self._reads(name))
        return [self.table(table, version) for table, version in versions]

    def _reads(self, name: str) -> list[str] | None:
        """The stored tables that a table is made of; None: its columns are not known.

        Of a feature view the table it offers: views have no versions of their own.
        """
        node = self.lineage.by_name.get(name)
        if node is None:
            return None
        views = {read for read in node.reads if read.startswith("features.")}
        below = {table for view in views for table in self.lineage.by_name[view].reads}
        return sorted({*node.reads, *below} - views)

    def _files(
        self, name: str, parts: Sequence[Publication], writers: Sequence[Run | None]
    ) -> Fact:
        feed = name.removeprefix(f"{name.partition('.')[0]}.{self.case.name}_")
        files: dict[str, str] = {}
        for run in (each for each in writers if each):
            files |= run.details.files.get(feed, {})
        return Fact(
            kind="files",
            name=landing_name(self.case.name, feed),
            # Files have no version of their own: this names the set of them.
            version=sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12],
            details={
                "files": [{"name": each, "sha256": files[each]} for each in sorted(files)],
                "not_noted": [
                    part.interval
                    for part, run in zip(parts, writers, strict=True)
                    if not run or not run.details.files
                ],
            },
        )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _versions(name: str, run: Run, wanted: Sequence[str] | None) -> Iterator[tuple[str, int]]:
    """The versions from which a run made a table: read by it, or made on the way."""
    known = {**run.writes, **run.reads}
    for table in run.reads if wanted is None else wanted:
        if table in known and table != name:
            yield table, known[table]


def _part_json(part: Publication, run: Run | None) -> dict[str, Any]:
    return {
        "interval": part.interval,
        "version": part.version,
        "published_at": part.published_at.isoformat(),
        "attempt": run.attempt if run else None,
        "reads": dict(run.reads) if run else {},
        "compiled": run.details.compiled if run and isinstance(run.details, Transformed) else None,
    }


def to_json(fact: Fact) -> dict[str, Any]:
    """A fact and all below it, each version once."""
    facts: dict[str, dict[str, Any]] = {}
    _gather(fact, facts)
    return {"asked": fact.title, "facts": facts}


def _gather(fact: Fact, facts: dict[str, dict[str, Any]]) -> None:
    if fact.title in facts:
        return
    run = fact.run
    facts[fact.title] = {
        "kind": fact.kind,
        "name": fact.name,
        "version": fact.version,
        **fact.details,
        "run": run
        and {
            "stage": run.stage,
            "interval": run.interval,
            "attempt": run.attempt,
            "ended_at": run.ended_at.isoformat(),
            "code_version": run.code_version,
            "airflow_run": run.airflow_run,
        },
        "made_of": [each.title for each in fact.made_of],
    }
    for each in fact.made_of:
        _gather(each, facts)


def in_words(fact: Fact) -> str:
    """The tree for people; a version that was shown once is named again, not shown again."""
    return trees.drawn(
        fact,
        key=lambda each: each.title,
        head=lambda each: f"{each.title}  {_said(each)}",
        below=lambda each: each.made_of,
        again=lambda each: each.title,
    )


def _said(fact: Fact) -> str:
    """A line on what the journal says of it."""
    by = f"by {fact.run}" if fact.run else "the journal has no run that made it"
    details = fact.details
    if fact.kind == "prediction":
        return f"{values.fields_in_words(details['answer'])}, said {details['predicted_at']} {by}"
    if fact.kind == "model":
        learned = f"learned up to {details['cutoff'][:16]}, " if details else ""
        return f"{learned}{by}"
    if fact.kind == "table":
        return f"{_intervals([part['interval'] for part in details['parts']])}{by}"
    return _files_said(details)


def _intervals(intervals: Sequence[str]) -> str:
    if not intervals:
        return ""
    if len(intervals) == 1:
        return f"{intervals[0]}, "
    return f"{len(intervals)} parts, {intervals[0]} ... {intervals[-1]}, newest "


def _files_said(details: Mapping[str, Any]) -> str:
    names = [file["name"] for file in details["files"]]
    said = [f"{len(names)} files, {names[0]} ... {names[-1]}"] if names[1:] else names
    lacking = details["not_noted"]
    said += [f"names not noted by the runs of {', '.join(lacking)}"] if lacking else []
    return "; ".join(said) or "no files"
