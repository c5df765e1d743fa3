"""`targets.toml`: the messages about a wrong file, and about flags that say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.cli import main, parser
from contracts.commands.plan_options import plan_of
from contracts.commands.usage import Usage
from tests.contracts.targets import ENVIRONMENT, HIDDEN, PLAIN, refusal

KEYLESS = '[targets.a]\nbase_url = "https://staging.example"\norg = 1\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PLAIN.replace("base_url", "ingres_url"),
            "targets.toml: [targets.a]: there is no member 'ingres_url'; did you mean 'ingress_url'?",
        ),
        (PLAIN + "whatever = 1", "there is no member 'whatever'; there are: base_url, ingress_url, org"),
        (PLAIN.replace("targets.a", "target.a"), "there is no table [target]; did you mean 'targets'?"),
        (
            PLAIN.replace("targets.a", "staging"),
            "there is no table [staging]; a target is [targets.staging]",
        ),
        (
            PLAIN.replace("targets.a", "targets.ab"),
            "targets.toml has no target 'a'; there are: ab; did you mean 'ab'?",
        ),
        ("", "targets.toml has no target 'a'; there are: none"),
        ("targets = 1", "targets.toml: [targets]: expected a table for each target"),
        ("[targets]\na = 1", "targets.toml: [targets.a]: expected a table"),
        ("defaults = 1", "targets.toml: [defaults]: expected a table"),
        (KEYLESS, "the following arguments are required: --api-key (or a --target that says it)"),
        (
            KEYLESS + f'api_key = "{HIDDEN}"',
            "[targets.a] api_key: expected env:NAME, the variable that has the key, or file:PATH; a key",
        ),
        (KEYLESS + "api_key = 123456789", "[targets.a] api_key: expected env:NAME"),
        (KEYLESS + f'api_key = "env:{HIDDEN}"', "[targets.a] api_key: expected env:NAME"),
        (KEYLESS + f'apikey = "{HIDDEN}"', "there is no member 'apikey'; did you mean 'api_key'?"),
        (
            KEYLESS + 'api_key = "env:NO_SUCH"',
            "targets.toml: [targets.a] api_key env:NO_SUCH: the environment has no variable NO_SUCH",
        ),
        (
            KEYLESS + 'api_key = "file:no/such"',
            "targets.toml: [targets.a] api_key file:no/such: No such file or directory",
        ),
        (KEYLESS + 'api_key = "file:."', "[targets.a] api_key file:.: Is a directory"),
        (KEYLESS + 'api_key = "env:GATE"', "[targets.a] api_key: a key is printable ASCII without blanks"),
        (PLAIN + 'second_org = "2"', "belong together"),
        (PLAIN + 'second_org = "1"\nsecond_api_key = "env:OTHER"', "must differ from the first"),
        (PLAIN.replace("org = 1", "org = 1.5"), "[targets.a] org: expected the number of an organisation"),
        (PLAIN.replace("org = 1", 'org = "x"'), "the organisation 'x' is not a number such as 42"),
        (PLAIN.replace("https://", ""), "[targets.a] base_url: expected a URL such as https://"),
        (PLAIN.replace("https://", f"https://me:{HIDDEN}@"), "without user and password"),
        (PLAIN + f'proxy = "http://me:{HIDDEN}@proxy"', "[targets.a] proxy: expected a URL such as"),
        (PLAIN + 'proxy = "socks5://proxy"', "[targets.a] proxy: expected a URL such as"),
        (PLAIN + 'proxy = "http://proxy:x"', "targets.toml: [targets.a] proxy 'http://proxy:x' is not a URL"),
        (PLAIN + 'ca = "no.pem"', "targets.toml: [targets.a] ca: no.pem: No such file or directory"),
        (PLAIN + 'ca = "targets.toml"', "[targets.a] ca: targets.toml: expected certificates in PEM"),
        (PLAIN + "ca = true", "[targets.a] ca: expected the path of a file, got True"),
        (
            PLAIN + 'client_key = "k.pem"',
            "[targets.a] client_key is of no use without a client certificate",
        ),
        (PLAIN + 'client_certificate = "no.pem"', "[targets.a] client_certificate: no.pem: No such file"),
        (
            PLAIN.replace("https", "http") + 'client_certificate = "no.pem"',
            "[targets.a] client_certificate",
        ),
        (PLAIN + 'intrusive = "yes"', "[targets.a] intrusive: expected true or false, got 'yes'"),
        (PLAIN + "max_requests = 1.5", "[targets.a] max_requests: expected a whole number, got 1.5"),
        (PLAIN + "max_requests = 0", "targets.toml: [targets.a] max_requests: 1 or more"),
        (PLAIN + "max_writes = true", "[targets.a] max_writes: expected a whole number, got True"),
        (PLAIN + "max_time = inf", "targets.toml: [targets.a] max_time: from 1 to 1000000 seconds"),
        (PLAIN + "rate = 0", "targets.toml: [targets.a] rate: a rate is a number such as 10"),
        (PLAIN + 'rate = "often"', "targets.toml: [targets.a] rate: "),
        (PLAIN + "rate = []", "[targets.a] rate: expected requests a second"),
        (
            PLAIN + 'name_prefix = "Job 2"',
            "targets.toml: [targets.a] name_prefix: a name prefix is a name such as ci-2",
        ),
        (PLAIN + 'profile = "day"', "[targets.a] profile: expected one of check, gate, night"),
        (PLAIN + "min_verified = 101", "[targets.a] min_verified: from 0 to 100 percent"),
        (PLAIN + 'baseline = "no.yaml"', "targets.toml: [targets.a] baseline no.yaml: No such file"),
        (
            PLAIN + 'expect_interpretations = "no.yaml"',
            "[targets.a] expect_interpretations no.yaml: No such file",
        ),
        (PLAIN + 'variants = "a"', "[targets.a] variants: expected a table, for each name the path of a"),
        (PLAIN + "variants = {v = 1}", "[targets.a.variants] v: expected the path of a JSON payload, got 1"),
        (PLAIN + 'variants = {v = "no.json"}', "targets.toml: [targets.a.variants] v: no.json: No such file"),
        (PLAIN + 'variants = {v = "targets.toml"}', "[targets.a.variants] v: targets.toml: expected JSON"),
        (PLAIN + f'headers = "{HIDDEN}"', "[targets.a] headers: expected a table, for each name a text"),
        (PLAIN + "headers = {x-a = 1}", "[targets.a.headers] x-a: expected a text, env:NAME or file:PATH"),
        (PLAIN + f'headers = {{x-a = "env:{HIDDEN}"}}', "[targets.a.headers] x-a: expected a text, env:NAME"),
        (
            PLAIN + 'headers = {x-a = "env:NO_SUCH"}',
            "targets.toml: [targets.a.headers] x-a env:NO_SUCH: the environment has no variable NO_SUCH",
        ),
        (
            PLAIN + f'headers = {{x-a = "{HIDDEN}\\u00e9"}}',
            "[targets.a.headers] x-a: a value is printable ASCII",
        ),
        (PLAIN + f'headers = {{x-a = "{HIDDEN}\\n"}}', "[targets.a.headers] x-a: expected a text"),
        (
            PLAIN + f'headers = {{"x a" = "{HIDDEN}"}}',
            "[targets.a.headers] x a: 'x a' is not the name of a header",
        ),
        (
            PLAIN + f'headers = {{Authorization = "{HIDDEN}"}}',
            "[targets.a.headers] Authorization: the judge sets Authorization itself",
        ),
        (f'[targets.a]\napi_key = "{HIDDEN}', "targets.toml is not TOML: "),
        (f"{HIDDEN}", "targets.toml is not TOML: "),
        (f'[targets.a]\napi_key = "{HIDDEN}"\napi_key = "{HIDDEN}"', "is not TOML: "),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_message_names_file_table_and_member_and_what_would_pass(text: str, expected: str) -> None:
    """It is one line, and never shows what may be a secret."""
    assert expected in refusal(text)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--targets", "x.toml"], "--targets x.toml: say which one with --target NAME"),
        (["--target", "a", "--targets", "x.toml"], "x.toml: No such file or directory"),
        (["--target", "a"], "targets.toml: No such file or directory here; name another one with --targets"),
        (["--target", "a", "--targets", "."], "Is a directory"),
    ],
)
def test_a_missing_file_is_named(
    flags: list[str], expected: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message is one line, and the exit code 2."""
    assert main(["check", *flags]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.usefixtures("here")
def test_a_file_that_is_not_text_is_refused() -> None:
    """TOML is UTF-8."""
    Path("targets.toml").write_bytes(b"\xff")

    with pytest.raises(Usage, match="is not TOML, which is UTF-8"):
        plan_of(parser().parse_args(["check", "--target", "a"]), ENVIRONMENT)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--header", "x-a"], "expected NAME=VALUE, such as x-gateway-key=env:GATEWAY_KEY"),
        (
            ["--header", "x-a=env:NO_SUCH"],
            "--header x-a env:NO_SUCH: the environment has no variable NO_SUCH",
        ),
        (
            ["--header", f"x-arklow-auth={HIDDEN}"],
            "--header x-arklow-auth: the judge sets x-arklow-auth itself",
        ),
        (["--header", "x-a="], "--header x-a: a value is printable ASCII"),
        (["--api-key", "file:/no/such"], "--api-key file:/no/such: No such file or directory"),
        (["--api-key", "env:a-b"], "--api-key: env: is followed by the name of a variable"),
        (["--ca", "/no.pem"], "--ca: /no.pem: No such file or directory"),
        (["--client-key", "/no.pem"], "--client-key is of no use without a client certificate"),
        (["--proxy", "proxy:3128"], "--proxy 'proxy:3128' is not a URL such as http://localhost:3123"),
    ],
)
def test_messages_about_flags_say_what_would_pass(
    flags: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are one line, as those about the file."""
    base = ["check", "--base-url", "https://h.example", "--org", "1", "--api-key", "k"]
    assert main([*base, *flags]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert expected in line
    assert HIDDEN not in line
