"""`targets.toml`: the effect of each member, and which value wins."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.cli import main, parser
from contracts.commands.dry_run import described
from contracts.commands.plan_options import plan_of
from contracts.commands.targets_file import MEMBERS, read
from tests.contracts.authority import AUTHORITY
from tests.contracts.targets import ENVIRONMENT, HIDDEN, PLAIN, planned, refusal

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "targets.toml"


@pytest.mark.usefixtures("here")
def test_a_target_is_what_flags_would_say() -> None:
    """The file gives URL, organisation and key; everything else is as without a file."""
    named = planned(PLAIN)
    flags = ["check", "--base-url", "https://staging.example", "--org", "1", "--api-key", "env:KEY"]
    flagged = plan_of(parser().parse_args([*flags, "--seed", str(named.seed)]), ENVIRONMENT)

    assert replace(named, target=replace(named.target, flags=())) == replace(
        flagged, target=replace(flagged.target, flags=())
    )


def test_a_target_may_be_judged_by_a_directory_of_pages(here: Path) -> None:
    """It replaces the document of `[defaults]`; a flag for either replaces both."""
    (here / "pages").mkdir()
    text = '[defaults]\ndocument = "document.yaml"\n' + PLAIN + 'spec_dir = "pages"\n'

    assert planned(text).document == Path("pages")
    assert planned(text, "--document", "other.yaml").document == Path("other.yaml")
    other = PLAIN + 'document = "document.yaml"\n'
    assert planned(other, "--spec-dir", "pages").document == Path("pages")
    assert refusal(other + 'spec_dir = "pages"\n').endswith(
        "[targets.a]: expected either document or spec_dir, got both"
    )
    assert refusal(PLAIN + 'spec_dir = "none"\n').endswith("got 'none'; --document takes a file")


BASELINE = """
schema_version: 2
findings: [{id: PAGE-5-3f9a1c22, finding: it breaks, owner: me, reason: known, expires: 2026-12-31}]
"""


def test_each_member_has_its_effect(here: Path) -> None:
    """Paths are relative to the file."""
    folder = here / "team"
    folder.mkdir()
    (folder / "known.yaml").write_text(BASELINE)
    (folder / "interpretations.yaml").write_text("interpretations: {unknown variant: made on the fly}")
    (folder / "order.json").write_text('{"order_id": "8471"}')
    (folder / "second").write_text("good-key-two\n")
    (folder / "document.yaml").write_text("openapi: 3.1.0\npaths: {}")
    (folder / "targets.toml").write_text(
        f"""
        [targets.a]
        base_url = "https://staging.example"
        ingress_url = "https://ingress.example"
        org = 1
        api_key = "env:KEY"
        second_org = "2"
        second_api_key = "file:second"
        ca = "{AUTHORITY.ca}"
        client_certificate = "{AUTHORITY.certificate}"
        client_key = "{AUTHORITY.key}"
        proxy = "http://proxy.example:3128"
        profile = "gate"
        max_time = 77
        max_requests = 88
        max_writes = 99
        rate = "30/m"
        name_prefix = "team"
        intrusive = true
        min_verified = 12.5
        baseline = "known.yaml"
        expect_interpretations = "interpretations.yaml"
        document = "document.yaml"
        [targets.a.headers]
        x-gate = "env:GATE"
        x-team = "orders"
        [targets.a.variants]
        "order.created" = "order.json"
        """
    )
    words = ["check", "--targets", "team/targets.toml", "--target", "a"]
    plan = plan_of(parser().parse_args(words), ENVIRONMENT)
    target, limits = plan.target, plan.limits

    assert (target.base_url, target.ingress_url) == ("https://staging.example", "https://ingress.example")
    assert [(one.key, one.org, one.name) for one in target.credentials] == [
        ("good-key-one", "1", "KEY"),
        ("good-key-two", "2", "ARKLOW_SECOND_API_KEY"),
    ]
    assert [(one.name, one.value, one.variable) for one in target.connection.headers] == [
        ("x-gate", "open sesame", "GATE"),
        ("x-team", "orders", "ARKLOW_HEADER_X_TEAM"),
    ]
    assert (
        target.connection.ca,
        target.connection.certificate,
        target.connection.key,
        target.connection.proxy,
    ) == (
        AUTHORITY.ca,
        AUTHORITY.certificate,
        AUTHORITY.key,
        "http://proxy.example:3128",
    )
    assert target.hosts == ("staging.example", "ingress.example", "proxy.example")
    assert (limits.rate, limits.requests, limits.writes) == (0.5, 88, 99)
    assert (plan.steady, plan.max_time, plan.name_prefix, plan.intrusive, plan.min_verified) == (
        *(True, 77, "team", True),
        12.5,
    )
    assert [one.id for one in plan.baseline] == ["PAGE-5-3f9a1c22"]
    assert plan.expected == {"unknown variant": "made on the fly"}
    assert plan.declared == {"order.created": {"order_id": "8471"}}
    assert plan.document == Path("team/document.yaml")


def test_flags_win_over_the_target_and_the_target_over_the_defaults(here: Path) -> None:
    """They do so member by member, and for headers and variants entry by entry."""
    for name in ("one", "two", "three"):
        (here / f"{name}.json").write_text(f'"{name}"')
    text = """
    [defaults]
    base_url = "https://staging.example"
    org = 7
    api_key = "env:KEY"
    rate = 1
    max_writes = 5
    max_requests = 5
    intrusive = true
    headers = {X-Gate = "one", x-more = "one", x-last = "one"}
    variants = {a = "one.json", b = "one.json", c = "one.json"}
    [targets.a]
    rate = 2
    max_writes = 6
    headers = {x-gate = "two", x-more = "two"}
    variants = {a = "two.json", b = "two.json"}
    """
    plan = planned(
        text,
        *("--max-writes", "7", "--org", "8", "--no-intrusive", "--variant", "a=three.json"),
        *("--header", "X-GATE=three", "--api-key", "env:OTHER"),
    )

    assert (plan.limits.rate, plan.limits.writes, plan.limits.requests) == (2.0, 7, 5)
    assert (plan.target.first.org, plan.target.first.key, plan.intrusive) == ("8", "good-key-two", False)
    assert {one.name: one.value for one in plan.target.connection.headers} == {
        "x-last": "one",
        "x-more": "two",
        "X-GATE": "three",
    }
    assert plan.declared == {"a": "three", "b": "two", "c": "one"}


@pytest.mark.usefixtures("here")
def test_production_is_never_a_default() -> None:
    """The target or a flag says it, and a flag can deny it."""
    text = PLAIN.replace("staging.example", "api.arklow.io")

    assert "is a production host" in refusal(text)
    assert planned(text + "production = true").target.production_host == "api.arklow.io"
    assert "is a production host" in refusal(text + "production = true", "--no-production")
    assert "[defaults] production: only the table of one target" in refusal(
        "[defaults]\nproduction = true\n" + text
    )


@pytest.mark.usefixtures("here")
def test_another_base_url_needs_another_ingress_url() -> None:
    """Otherwise two deployments would be mixed."""
    text = PLAIN + 'ingress_url = "https://ingress.example"'

    assert "give --ingress-url as well" in refusal(text, "--base-url", "http://localhost:1")
    flags = ("--base-url", "http://localhost:1", "--ingress-url", "http://localhost:2")
    assert planned(text, *flags).target.hosts == ("localhost",)


def test_a_key_may_stand_in_a_file(here: Path) -> None:
    """The end of its line is not part of the key."""
    (here / "key").write_text("good-key-one\n")
    words = ["check", "--base-url", "http://localhost", "--org", "1", "--api-key", f"file:{here / 'key'}"]

    assert plan_of(parser().parse_args(words), {}).target.first.key == "good-key-one"


@pytest.mark.usefixtures("here")
def test_a_remote_proxy_makes_a_target_remote() -> None:
    """`localhost` is another machine to the proxy, so the limits for targets off loopback hold."""
    text = PLAIN.replace("https://staging.example", "http://localhost:3123")

    assert planned(text).limits.rate == math.inf
    assert planned(text + 'proxy = "http://127.0.0.1:3128"').target.is_local
    assert planned(text + 'proxy = "http://proxy.example"').limits.rate == 10.0
    assert "is a production host" in refusal(text + 'proxy = "http://proxy.arklow.io"')


def test_a_dry_run_says_how_a_target_is_reached_and_shows_no_secret(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proxy is among the hosts that are contacted."""
    monkeypatch.setenv("KEY", HIDDEN)
    (here / "targets.toml").write_text(
        PLAIN + f'proxy = "http://proxy.example:3128"\nheaders = {{x-a = "env:KEY", x-b = "{HIDDEN}"}}'
    )

    assert main(["check", "--target", "a", "--dry-run"]) == 0

    expected = capsys.readouterr().out
    for line in (
        "Target a of targets.toml\n",
        "Would judge https://staging.example, and contact nothing but staging.example, proxy.example:\n",
        "  keys      $KEY for organisation 1\n",
        "  headers   x-a: $KEY, x-b: $ARKLOW_HEADER_X_B\n",
        "  proxy     http://proxy.example:3128\n",
    ):
        assert line in expected
    assert HIDDEN not in expected


def test_the_list_of_targets_says_where_their_keys_are(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It also says whether they are there."""
    monkeypatch.setenv("KEY", HIDDEN)
    (here / "gone").mkdir()
    (here / "targets.toml").write_text(
        f"""
        {PLAIN}
        ingress_url = "https://ingress.example"
        second_org = 2
        second_api_key = "env:NO_SUCH"
        headers = {{x-a = "file:targets.toml", x-b = "file:gone", x-c = "{HIDDEN}"}}
        proxy = "env:NO_PROXY_URL"
        [targets.b]
        production = true
        """
    )

    assert main(["targets"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "a: https://staging.example, ingress https://ingress.example",
        "  key         $KEY (set), for organisation 1",
        "  second key  $NO_SUCH (not set), for organisation 2",
        "  proxy       $NO_PROXY_URL (not set)",
        "  header      x-a: targets.toml (there)",
        "  header      x-b: gone (not there)",
        "  header      x-c: stands in the file",
        "b: no base_url, production",
    ]


@pytest.mark.parametrize(
    ("text", "code", "expected"), [("", 0, "targets.toml has no target\n"), ("[", 2, "is not TOML")]
)
def test_a_file_without_targets_says_so(
    text: str, code: int, expected: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong file leads to one line."""
    (here / "targets.toml").write_text(text)

    assert main(["targets"]) == code
    assert expected in "".join(capsys.readouterr())


@pytest.mark.parametrize("name", ["local", "staging", "live"])
def test_the_example_has_every_member_and_nothing_else(name: str) -> None:
    """Each of its targets is complete."""
    targets = read(EXAMPLE.read_bytes(), EXAMPLE)
    expected = {member for one in targets.targets for member in targets.find(one).members}

    assert MEMBERS.keys() - expected == {"document", "spec_dir"}
    assert {"base_url", "org", "api_key"} <= targets.find(name).members.keys()


def test_the_example_makes_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """Its target `local` needs no further files."""
    words = ["check", "--targets", str(EXAMPLE), "--target", "local"]
    plan = plan_of(parser().parse_args(words), {"ARKLOW_API_KEY": "dev-key"})

    assert (plan.target.base_url, plan.target.first.org) == ("http://localhost:3123", "1")
    assert any("100 requests a second" in line for line in described(plan))


def test_the_targets_of_the_reference_can_be_used() -> None:
    """As written."""
    page = (ROOT / "docs" / "reference" / "targets.md").read_text("utf-8")
    [text] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    named = read(text.encode(), Path("team/targets.toml")).find("staging")

    assert named.members["headers"] == {"x-gateway-secret": "env:GATEWAY_SECRET"}
    assert named.members["ca"] == "team/certificates/staging-ca.pem"


FLAGS = (
    "--base-url https://a.example/x --ingress-url http://i.example --api-key env:KEY --org 1 "
    "--second-api-key file:second --second-org 2 --header x-gate=env:GATE --resolve a.example:443:10.0.0.1 --document o.yaml"
)


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ("--target a", "--target a"),
        ("--target a --targets team.toml", "--target a --targets team.toml"),
        (
            "--target a --org 7",
            "--base-url https://staging.example --api-key env:KEY --org 7",
        ),
        (FLAGS, FLAGS),
        (
            (
                "--base-url http://localhost --api-key s3cret-key --org 1 --header x-gate=s3cret-gate "
                "--proxy http://me:s3cret-word@p.example:3128"
            ),
            (
                "--base-url http://localhost --api-key env:ARKLOW_API_KEY --org 1 --header x-gate=env:ARKLOW_HEADER_X_GATE "
                "--proxy env:ARKLOW_PROXY"
            ),
        ),
    ],
    ids=["a name", "a name and a file", "a name and a flag that wins", "flags", "secrets as they are"],
)
def test_a_target_says_by_which_flags_it_is_named_again(given: str, flags: str, here: Path) -> None:
    """So that the line of a report which replays a finding can be pasted; no secret stands in it."""
    for file in ("targets.toml", "team.toml"):
        (here / file).write_text(PLAIN)
    (here / "second").write_text("good-key-two")

    target = plan_of(parser().parse_args(["check", *given.split()]), ENVIRONMENT).target

    assert shlex.join(target.flags) == flags


def test_authorities_of_the_environment_are_those_of_a_target_that_names_none() -> None:
    """As other programs of Python do; curl lines and tests then name the file too."""
    bundle = {**ENVIRONMENT, "REQUESTS_CA_BUNDLE": AUTHORITY.ca}
    words = ["check", "--base-url", "https://a.example", "--api-key", "env:KEY", "--org", "1"]

    plain, named = (
        plan_of(parser().parse_args([*words, *more]), bundle).target.connection.ca
        for more in ((), ("--ca", AUTHORITY.certificate))
    )

    assert (plain, named) == (AUTHORITY.ca, AUTHORITY.certificate)


def test_recorded_traffic_is_judged_by_the_urls_of_a_target(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its keys are not read, as no host is contacted."""
    (here / "targets.toml").write_text(PLAIN.replace("env:KEY", "env:NO_SUCH"))
    (here / "empty.har").write_text('{"log": {"version": "1.2", "entries": []}}')

    assert main(["judge", "--target", "a", "empty.har"]) == 3
    assert main(["judge", "--target", "b", "empty.har"]) == 2
    assert "has no target 'b'" in capsys.readouterr().err
