"""A target: which hosts belong to it, and in which forms its secrets are masked."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from urllib.parse import quote, unquote

import pytest

from contracts.core.exchange import redact
from contracts.core.target import Admin, ConnectionOptions, Credential, ExtraHeader, ProxyLogin, Target

KEY = 'k/ey "one"+2'
TARGET = Target("http://a", "https://b:81/below", Credential(KEY, "1", "MY_KEY"))


@pytest.mark.parametrize(
    ("form", "expression"),
    [
        (KEY, "$MY_KEY"),
        (quote(KEY, safe=""), '$(printf %s "$MY_KEY" | od -An -tx1 | tr " " % | tr -d "\\n")'),
        (KEY.replace('"', '\\"'), "$MY_KEY"),
        (KEY[:6], '$(printf %.6s "$MY_KEY")'),
        (KEY[:-1], "${MY_KEY%?}"),
        (f"{KEY}-not", "${MY_KEY}-not"),
        (KEY.swapcase(), '$(printf %s "$MY_KEY" | tr a-zA-Z A-Za-z)'),
    ],
)
def test_each_form_of_a_key_is_the_expression_that_makes_it(form: str, expression: str) -> None:
    """As encoders write it, and as the judge changes it."""
    assert TARGET.secrets[form] == expression
    assert redact(f"<{form}>", TARGET.secrets) == f"<{expression}>"


def test_the_end_of_base64_may_be_left_out() -> None:
    """Without its padding, and without the digits that depend on what follows."""
    short = replace(TARGET, first=Credential("a-key-of-11", "1", "K"))
    whole = base64.b64encode(b"a-key-of-11").decode()

    assert short.secrets[whole] == '$(printf %s "$K" | base64 -w0)'
    assert short.secrets[whole[:12]] == '$(printf %s "$K" | base64 -w0 | tr -d =)'


def test_values_of_headers_are_secrets_and_two_names_may_stand_for_one() -> None:
    """The first one does."""
    headers = (ExtraHeader("x-gate", "open sesame", "GATE"), ExtraHeader("x-same", KEY, "SAME"))
    found = replace(
        TARGET,
        second=Credential("key-two", "2", "YOUR_KEY"),
        connection=ConnectionOptions(headers),
    ).secrets

    assert (found["open sesame"], found["key-two"], found[KEY]) == ("$GATE", "$YOUR_KEY", "$MY_KEY")
    assert found[quote("open sesame", safe="")].startswith('$(printf %s "$GATE"')


def test_the_password_of_the_proxy_and_the_admin_token_are_secrets() -> None:
    """As they are, and as encoders write them."""
    reached = replace(
        TARGET,
        admin=Admin("http://a:9", "t0ken-of-a-mock"),
        connection=ConnectionOptions(proxy="http://proxy:8080", proxy_login=ProxyLogin("me", "p@ss-w0rd")),
    ).secrets

    assert "p%40ss" not in redact("http://me:p%40ss-w0rd@proxy", reached)
    assert redact("p@ss-w0rd, t0ken-of-a-mock", reached) == "$ARKLOW_PROXY_PASSWORD, $ARKLOW_ADMIN_TOKEN"


@pytest.mark.slow
@pytest.mark.parametrize("key", ["good-key-one", "k/ey+2=", "ab"])
def test_a_shell_makes_each_form_of_a_key(key: str) -> None:
    """From the variable alone; the end of Base64 that is masked may depend on what follows the key."""
    known = Target("http://a", "http://a", Credential(key, "1", "MY_KEY")).secrets

    for form, expression in known.items():
        made = subprocess.run(
            ["bash", "-c", f'printf %s "{expression}"'],
            env={"MY_KEY": key, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert unquote(made.stdout).startswith(unquote(form)), expression


def test_its_hosts_are_all_that_is_contacted() -> None:
    """Each once, in the order of their use."""
    every = replace(
        TARGET,
        base_url="http://a:1",
        ingress_url="https://b:81/below",
        admin=Admin("http://a:3124", "token"),
        connection=ConnectionOptions(proxy="http://proxy:3128"),
    )

    assert every.hosts == ("a", "b", "proxy")
    assert (every.base_of("/v1/orgs/1/actions/definitions"), every.base_of("/v1/modack")) == (
        "http://a:1",
        "https://b:81/below",
    )
    assert (every.is_local, every.production_host) == (False, None)
    assert replace(TARGET, base_url="http://localhost", ingress_url="http://[::1]:1").is_local
    assert replace(TARGET, ingress_url="https://x.arklow.io").production_host == "x.arklow.io"


def test_the_keys_of_a_target_are_not_printed() -> None:
    """Nor are values of headers and the token of an admin plane."""
    every = replace(
        TARGET,
        admin=Admin("http://a", "t0ken"),
        connection=ConnectionOptions((ExtraHeader("x-gate", "open sesame", "GATE"),)),
    )

    assert not any(secret in repr(every) for secret in (KEY, "t0ken", "open sesame"))
