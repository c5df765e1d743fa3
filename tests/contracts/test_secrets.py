"""Secrets are found and masked in whatever way they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.core.exchange import redact
from contracts.core.secrets import SecretRecogniser
from contracts.core.target import ConnectionOptions, Credential, ExtraHeader, Target
from tests.contracts.encodings import ENCODINGS, shows

SECRETS = [
    "good-key-one",
    "ak_live/4eC3+9HqLyjWDarjtT1zdp7dc==",
    "a%2Bb=41&amp;\\u0041c",
    "0123456789abcdef",
    "deadbeef",
]
ONE = SecretRecogniser({secret: f"$KEY_{n}" for n, secret in enumerate(SECRETS)})


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_found_and_masked_in_every_encoding(encoding: str, secret: str) -> None:
    """What is before and after it can still be read."""
    written = ENCODINGS[encoding](secret)
    text = f'expected "queued", got "{written}" at data/queue_s'

    masked = ONE.mask(text)

    assert ONE.finds(text)
    assert not shows(masked, secret)
    assert not ONE.finds(masked)
    assert masked.startswith('expected "queued", got "')
    assert masked.endswith('" at data/queue_s')
    assert f"$KEY_{SECRETS.index(secret)}" in masked


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name != "a hex dump"])
def test_what_a_cut_leaves_of_a_secret_is_masked(encoding: str) -> None:
    """Wherever the text was cut, and before an ellipsis; what is before it can still be read."""
    secret = SECRETS[1]
    written = f'got "{ENCODINGS[encoding](secret)}'
    for length in range(5, len(written)):
        masked = ONE.mask(written[:length], is_cut=True)
        assert not shows(masked, secret[:10]), (length, masked)
        assert masked.startswith('got "')
    assert ONE.mask(f"got {secret[:12]}… and {secret[:9]}... of") == "got $KEY_1… and $KEY_1... of"
    assert ONE.mask(f"got {secret[:5]}… of") == f"got {secret[:5]}… of"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_secret_of_a_target_is_masked(encoding: str) -> None:
    """Wrong keys that are nearly good ones are, and values of extra headers."""
    target = Target(
        *("http://t", "http://t"),
        Credential("sk-0123-abcdef-xyz", "1", "ARKLOW_API_KEY"),
        Credential("sk-9876-fedcba-zyx", "2", "SECOND"),
        connection=ConnectionOptions((ExtraHeader("x-gate", "open sesame ¡now!", "GATE"),)),
    )
    for secret in ("sk-0123-abcdef-xyz", "sk-9876-fedcba-zyx", "sk-0123-abcdef-xy"):
        assert not shows(redact(f"<{ENCODINGS[encoding](secret)}>", target.secrets), secret)
    if encoding not in ("UTF-16", "UTF-16, the other way", "octal", "quoted-printable, folded"):
        gate = redact(f"<{ENCODINGS[encoding]('open sesame ¡now!')}>", target.secrets)
        assert "GATE" in gate


@given(st.text(), st.text())
def test_a_text_without_a_secret_is_left_as_it_is(before: str, after: str) -> None:
    """Whatever escapes it has."""
    assert ONE.mask(before + after) == before + after or ONE.finds(before + after)
    assert ONE.finds(f"{before} good-key-one {after}")
    assert "good-key-one" not in ONE.mask(f"{before} good-key-one {after}")


@given(st.lists(st.sampled_from([*ENCODINGS]), min_size=1, max_size=2), st.text("ab%&\\=;/ 7", max_size=6))
def test_a_secret_is_masked_when_it_is_encoded_again(names: list[str], beside: str) -> None:
    """Two encoders in a row are one encoder more."""
    escapes = [name for name in names if not name.startswith(("Base64", "hexa", "a hex", "UTF", "quoted"))]
    text = "good-key-one"
    for name in escapes:
        text = ENCODINGS[name](text)

    assert not shows(ONE.mask(f"{beside} {text}"), "good-key-one")


def test_a_short_key_is_left_as_it_may_be_a_word() -> None:
    """As `SHORTEST_SECRET` says."""
    assert redact("queue and key", {"key": "$K"}) == "queue and key"


def test_what_stands_for_an_encoded_secret_names_its_variable() -> None:
    """Known forms keep the expression that a shell can carry out."""
    key = Credential("sk-0123-abcdef-xyz", "1", "ARKLOW_API_KEY")
    secrets = Target("http://t", "http://t", key).secrets

    assert redact("[sk-0123-abcdef-xyz]", secrets) == "[$ARKLOW_API_KEY]"
    assert redact("[sk-0123-abcdef-xy]", secrets) == "[${ARKLOW_API_KEY%?}]"
    assert redact("[sk%2d0123-abcdef-xyz]", secrets) == "[$ARKLOW_API_KEY (encoded)]"
    assert redact("[sk%2d0123-abcdef-xy!]", secrets) == "[$ARKLOW_API_KEY (encoded)!]"
