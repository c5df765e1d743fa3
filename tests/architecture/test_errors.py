"""The tree of errors in the domain, and the table from code to status in the API."""

from __future__ import annotations

import re
from pathlib import Path

import mock_server
from mock_server.api.errors import STATUSES
from mock_server.domain.errors import ArklowError

SOURCE = Path(mock_server.__file__).parent
STRICT_JSON = SOURCE.parent / "arklow_local" / "formats" / "strict_json.py"
"""The codes of refused bodies are raised here."""
CODE = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|UNAUTHORIZED)"')
EXPORTED = re.compile(r"__all__ = \[.*?\]", re.DOTALL)
"""Lists of names, which look like codes."""


def _leaves(error: type[ArklowError]) -> list[type[ArklowError]]:
    below = error.__subclasses__()
    return [leaf for child in below for leaf in _leaves(child)] if below else [error]


def test_every_error_of_the_domain_has_a_status() -> None:
    """A new leaf without a row would be answered with 500."""
    assert {leaf.code for leaf in _leaves(ArklowError)} <= STATUSES.keys()


def test_every_code_that_is_raised_has_a_status_and_every_status_a_code() -> None:
    """The table has each code that is raised, and no other."""
    raised = {
        code
        for file in (*SOURCE.rglob("*.py"), STRICT_JSON)
        if file.name != "errors.py" or file.parent.name != "api"
        for code in CODE.findall(EXPORTED.sub("", file.read_text("utf-8")))
    }

    assert raised - {"ARKLOW_ADMIN_TOKEN", "NO_COLOR"} == STATUSES.keys()


def test_codes_are_upper_snake_case_and_statuses_are_those_that_the_pages_allow() -> None:
    """Codes: Q9. Ingress answers with the statuses of its pages (B019, S-mod); 403, 405 and 408 belong to no single
    operation, and 429 and 503 to the admin plane."""
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", code) for code in STATUSES)
    assert {s.ingress for s in STATUSES.values()} <= {400, 401, 403, 404, 405, 408, 409, 429, 500, 503}


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    """The docstring draws every class, and no other."""
    import mock_server.domain.errors as errors

    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    known = {name for name, value in vars(errors).items() if isinstance(value, type)} - {"ArklowError"}

    assert drawn == known
