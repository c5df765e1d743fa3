"""One tree of errors within, one total table at the edge."""

from __future__ import annotations

import re
from pathlib import Path

import mock_server
from mock_server.api.errors import STATUSES
from mock_server.domain.errors import ArklowError

SOURCE = Path(mock_server.__file__).parent
STRICT_JSON = SOURCE.parent / "arklow_local" / "formats" / "strict_json.py"
"""Its codes are those of refused bodies."""
CODE = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|UNAUTHORIZED)"')
EXPORTED = re.compile(r"__all__ = \[.*?\]", re.DOTALL)
"""Names of constants look like codes."""


def _leaves(error: type[ArklowError]) -> list[type[ArklowError]]:
    below = error.__subclasses__()
    return [leaf for child in below for leaf in _leaves(child)] if below else [error]


def test_every_error_of_the_domain_has_a_status() -> None:
    """A new leaf without a row would be a 500."""
    assert {leaf.code for leaf in _leaves(ArklowError)} <= STATUSES.keys()


def test_every_code_that_is_raised_has_a_status_and_every_status_a_code() -> None:
    """The table is total, and holds nothing that nobody raises."""
    raised = {
        code
        for file in (*SOURCE.rglob("*.py"), STRICT_JSON)
        if file.name != "errors.py" or file.parent.name != "api"
        for code in CODE.findall(EXPORTED.sub("", file.read_text("utf-8")))
    }

    assert raised - {"ARKLOW_ADMIN_TOKEN", "NO_COLOR"} == STATUSES.keys()


def test_codes_are_shouted_and_statuses_are_those_the_pages_allow() -> None:
    """Q9: upper snake case. B019 and S-mod: ingress answers with what its pages list, and 408 and the
    route's own 403, 405 are not of any one operation, nor are the admin plane's 429 and 503."""
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", code) for code in STATUSES)
    assert {s.ingress for s in STATUSES.values()} <= {400, 401, 403, 404, 405, 408, 409, 429, 500, 503}


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    """The docstring draws every class, and no other."""
    import mock_server.domain.errors as errors

    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    known = {name for name, value in vars(errors).items() if isinstance(value, type)} - {"ArklowError"}

    assert drawn == known
