"""dbt's own documentation of a case's models, as one page that needs nothing else."""

import re
from pathlib import Path

from pipelines.stores.objects import Objects

# An icon's address in a template is asked for before Angular has filled it in, unless it is told
# so; and the icon of the page is a file that dbt does not deliver.
_TEMPLATE_ADDRESS = re.compile(r"xlink:href=(?=\\?\"\{\{)")
_ICON = re.compile(r"<link[^>]*favicon[^>]*>")


def keep(reports: Objects, case: str, digest: str, generated: Path) -> None:
    """Put what `dbt docs generate --static` wrote where people look; once a state of the project.

    Raises:
        FileNotFoundError: dbt wrote no page.
    """
    text = _ICON.sub("", _TEMPLATE_ADDRESS.sub("ng-attr-href=", generated.read_text()))
    reports.put(f"dbt/{case}/index.html", text)
    reports.put(_digest_name(case), digest)


def is_kept(reports: Objects, case: str, digest: str) -> bool:
    """Whether the page there is of this state of the project."""
    name = _digest_name(case)
    return reports.exists(name) and reports.read_text(name) == digest


def _digest_name(case: str) -> str:
    return f"dbt/{case}/digest"
