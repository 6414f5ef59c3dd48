"""Data Docs pages that stand alone, give the reason of each limit, and run nothing in the data.

Great Expectations escapes limits, but not samples of bad values; it shows an expectation's notes on
the suite's page only; and its pages load stylesheets and scripts from eight servers.
"""

import copy
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.render.components import (
    RenderedHeaderContent,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )


_TEMPLATES = Path(__file__).with_name("gx_templates")
_STATES = {
    True: ("succeeded", "fa-check-circle text-success"),
    False: ("failed", "fa-times text-danger"),
}


class OfflinePageView(DefaultJinjaPageView):
    """One file that needs no other, nor a script: our frame around Great Expectations' blocks."""

    def __init__(self) -> None:
        super().__init__()
        ours = FileSystemLoader(_TEMPLATES)
        self.env.loader = ChoiceLoader([ours, *filter(None, [self.env.loader])])


class NoIndex:
    """No list of all pages: it needs scripts, and reads every result at every run.

    The pages are listed where people look for them, in Airflow's section Millrace.
    """

    def __init__(self, **_: Any) -> None:
        """Great Expectations gives it what it gives its own."""

    def build(self, **_: Any) -> tuple[None, dict[str, Any]]:
        """Nothing, and no links."""
        return None, {}


class ReasonedPageRenderer(ValidationResultsPageRenderer):
    """The page of one table's run; a `<script>` in the data is shown, never run."""

    def render(
        self, validation_results: "ExpectationSuiteValidationResult", suite_parameters: Any = None
    ) -> Any:
        """The page's parts."""
        shown = copy.deepcopy(validation_results)
        for found in shown.results:
            found.result = _escaped(found.result)
            found.exception_info = _escaped(found.exception_info)
            config = found.expectation_config
            if config is not None and config.notes:
                config.description = _reasoned(config)
        return super().render(shown, suite_parameters)

    @classmethod
    def _render_validation_header(
        cls, validation_results: "ExpectationSuiteValidationResult"
    ) -> RenderedHeaderContent:
        """Suite and state; the original links to a page of the suite, which nobody builds."""
        said, icon = _STATES[bool(validation_results.success)]
        params = {
            "suite": validation_results.suite_name,
            "html_success_icon": f'<i class="fas {icon}" aria-hidden="true"></i>',
            "said": said,
        }
        line = RenderedStringTemplateContent(
            string_template={"template": "$html_success_icon $suite: $said", "params": params}
        )
        return RenderedHeaderContent(header=line)


def _reasoned(config: "ExpectationConfiguration") -> str:
    """What is expected, as Great Expectations puts it, and why."""
    said = copy.deepcopy(config)
    ExpectationValidationResult(success=True, expectation_config=said).render()
    sentences = (
        Template(part.value.template or "").safe_substitute(
            {name: given["value"] for name, given in (part.value.params or {}).items()}
        )
        for part in said.rendered_content or ()
    )
    return escape(f"{' '.join(sentences)} ({config.notes})")


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(each) for each in value]
    return value
