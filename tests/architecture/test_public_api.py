"""What is public is declared."""

from __future__ import annotations

import mock_server


def test_all_is_sorted_and_every_name_is_there() -> None:
    """`__all__` is the public face."""
    assert mock_server.__all__ == sorted(mock_server.__all__)
    assert all(getattr(mock_server, name) for name in mock_server.__all__)
