"""What is public is declared."""

from __future__ import annotations

from types import ModuleType

import pytest

import contracts
import mock_server


@pytest.mark.parametrize("package", [contracts, mock_server])
def test_every_name_in_all_is_there(package: ModuleType) -> None:
    """`__all__` is the public face."""
    assert len(package.__all__) == len(set(package.__all__))  # their order is the linter's
    assert all(getattr(package, name) for name in package.__all__)
