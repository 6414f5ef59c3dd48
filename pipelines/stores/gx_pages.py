"""Data Docs pages that give the reason of each limit, and run nothing that is in the data.

Great Expectations escapes limits, but not samples of bad values; and it shows an expectation's
notes on the suite's page only.
"""

import copy
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )


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
