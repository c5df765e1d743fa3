"""Ids: 19 digits, growing, never shared."""

from __future__ import annotations

from hashlib import sha256

from mock_server.ids import OrganisationIds


def test_ids_have_19_digits_and_grow_within_an_organisation() -> None:
    """B010, Q11: decimal strings that fit a signed 64-bit integer."""
    ids = OrganisationIds()
    made = [ids.next("42") for _ in range(1_000)]

    assert all(len(number) == 19 and number.isdecimal() and int(number) < 2**63 for number in made)
    assert made == sorted(set(made), key=int)


def test_ten_digits_count_and_nine_name_the_organisation() -> None:
    """The make-up that the documents of this mock promise."""
    ids = OrganisationIds()
    suffix = int.from_bytes(sha256(b"42").digest()[:8], "big") % 10**9

    assert [ids.next("42"), ids.next("42")] == [f"1000000001{suffix:09d}", f"1000000002{suffix:09d}"]


def test_organisations_whose_hashes_collide_get_neighbouring_numbers() -> None:
    """Found by search: the first two names below 200,000 that share nine digits."""
    seen: dict[int, str] = {}
    for n in range(200_000):
        suffix = int.from_bytes(sha256(str(n).encode()).digest()[:8], "big") % 10**9
        if suffix in seen:
            break
        seen[suffix] = str(n)
    ids = OrganisationIds()

    one, other = ids.next(seen[suffix]), ids.next(str(n))

    assert int(other) == int(one) + 1
    assert ids.issued(seen[suffix], one)
    assert not ids.issued(str(n), one)


def test_only_what_was_given_out_counts_as_issued() -> None:
    """Not the next one, not another organisation's, not other digits."""
    ids = OrganisationIds()
    one = ids.next("42")

    assert ids.issued("42", one)
    assert not any(
        ids.issued("42", other) for other in (str(int(one) + 10**9), one[:-1], one + "0", "1", "0" * 19)
    )
    assert not ids.issued("7", one)
