"""The nine digits at the end of ids, which no two organisations share."""

from __future__ import annotations

from hashlib import sha256

from mock_server.adapters.id_suffixes import IdSuffixes


def test_the_suffix_is_a_hash_of_organisation_and_seed() -> None:
    """The documents of this mock promise how it is built; it is the same each time."""
    suffixes = IdSuffixes()
    expected = int.from_bytes(sha256(b"0/42").digest()[:8], "big") % 10**9

    assert suffixes.of("42", 0) == suffixes.of("42", 0) == f"{expected:09d}"
    assert suffixes.of("42", 1) != suffixes.of("42", 0)


def test_organisations_whose_hashes_collide_get_neighbouring_numbers() -> None:
    """The two are found by search: the first below 200,000 that share nine digits."""
    seen: dict[int, str] = {}
    for n in range(200_000):
        suffix = int.from_bytes(sha256(f"0/{n}".encode()).digest()[:8], "big") % 10**9
        if suffix in seen:
            break
        seen[suffix] = str(n)
    suffixes = IdSuffixes()

    one, other = suffixes.of(seen[suffix], 0), suffixes.of(str(n), 0)

    assert int(other) == int(one) + 1
