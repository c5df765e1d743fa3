"""`__all__` declares the public names."""

from __future__ import annotations

from types import ModuleType

import pytest

import contracts
import mock_server


@pytest.mark.parametrize("package", [contracts, mock_server])
def test_every_name_in_all_is_there(package: ModuleType) -> None:
    """Each is there, once."""
    assert len(package.__all__) == len(set(package.__all__))  # the linter checks their order
    assert all(getattr(package, name) for name in package.__all__)
