"""`targets.toml`: the effect of each member, which value wins, and the messages about a wrong file."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from contracts import Plan
from contracts.cli import main, parser
from contracts.commands.dry_run import described
from contracts.commands.plan_options import plan_of
from contracts.commands.targets_file import MEMBERS, read
from contracts.commands.usage import Usage
from tests.contracts.gateways import Authority, authority
from tests.contracts.test_check_command import SECRET, plugin
from tests.mutants import MUTANTS
from tests.serving import serving

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "targets.toml"
HIDDEN = "s3cret-that-is-hidden"
ENVIRONMENT = {"KEY": "good-key-one", "OTHER": "good-key-two", "GATE": "open sesame", "HIDDEN": HIDDEN}
PLAIN = """
[targets.a]
base_url = "https://staging.example"
org = 1
api_key = "env:KEY"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(text: str, *flags: str, name: str = "a") -> Plan:
    """The plan for a target of a `targets.toml` with this text, and for flags."""
    Path("targets.toml").write_text(text)
    return plan_of(parser().parse_args(["check", "--target", name, *flags]), ENVIRONMENT)


def refusal(text: str, *flags: str, name: str = "a") -> str:
    """The message of the refusal, which shows no secret and is one line."""
    with pytest.raises(Usage) as refused:
        planned(text, *flags, name=name)
    expected = str(refused.value)
    assert HIDDEN not in expected
    assert len(expected.splitlines()) == 1
    return expected


@pytest.mark.usefixtures("here")
def test_a_target_is_what_flags_would_say() -> None:
    """The file gives URL, organisation and key; everything else is as without a file."""
    named = planned(PLAIN)
    flags = ["check", "--base-url", "https://staging.example", "--org", "1", "--api-key", "env:KEY"]
    flagged = plan_of(parser().parse_args([*flags, "--seed", str(named.seed)]), ENVIRONMENT)

    assert named == flagged


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


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private authority."""
    return authority(tmp_path_factory.mktemp("authority"))


def test_each_member_has_its_effect(here: Path, trusted: Authority) -> None:
    """Paths are relative to the file."""
    folder = here / "team"
    folder.mkdir()
    (folder / "known.yaml").write_text("[{id: PAGE-5-3f9a1c, owner: me, reason: known, expires: 2026-12-31}]")
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
        ca = "{trusted.ca}"
        client_certificate = "{trusted.certificate}"
        client_key = "{trusted.key}"
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
        trusted.ca,
        trusted.certificate,
        trusted.key,
        "http://proxy.example:3128",
    )
    assert target.hosts == ("staging.example", "ingress.example", "proxy.example")
    assert (limits.rate, limits.requests, limits.writes) == (0.5, 88, 99)
    assert (plan.steady, plan.max_time, plan.name_prefix, plan.intrusive, plan.min_verified) == (
        *(True, 77, "team", True),
        12.5,
    )
    assert [one.id for one in plan.baseline] == ["PAGE-5-3f9a1c"]
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
        (PLAIN + 'variants = {v = "targets.toml"}', "[targets.a.variants] v: targets.toml is not JSON"),
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


@pytest.mark.usefixtures("here")
def test_another_base_url_needs_another_ingress_url() -> None:
    """Otherwise two deployments would be mixed."""
    text = PLAIN + 'ingress_url = "https://ingress.example"'

    assert "give --ingress-url as well" in refusal(text, "--base-url", "http://localhost:1")
    flags = ("--base-url", "http://localhost:1", "--ingress-url", "http://localhost:2")
    assert planned(text, *flags).target.hosts == ("localhost",)


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
        [targets.b]
        production = true
        """
    )

    assert main(["targets"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "a: https://staging.example, ingress https://ingress.example",
        "  key         $KEY (set), for organisation 1",
        "  second key  $NO_SUCH (not set), for organisation 2",
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


def test_pytest_judges_a_target_too(here: Path) -> None:
    """The target is given by its name; a missing one is an error before any test."""
    with serving(MUTANTS["R30"](keys={SECRET: "7"})) as url:
        (here / "targets.toml").write_text(
            f'[targets.a]\nbase_url = "{url}"\norg = 7\napi_key = "env:ARKLOW_API_KEY"'
        )
        ran = plugin("--arklow-target", "a", "--arklow-only", "PAGE-5", cwd=here)
    wrong = plugin("--arklow-target", "b", cwd=here)

    assert (ran.returncode, "1 failed" in ran.stdout) == (1, True), ran.stdout + ran.stderr
    assert (wrong.returncode, "has no target 'b'" in wrong.stderr) == (4, True)


def test_recorded_traffic_is_judged_by_the_urls_of_a_target(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its keys are not read, as no host is contacted."""
    (here / "targets.toml").write_text(PLAIN.replace("env:KEY", "env:NO_SUCH"))
    (here / "empty.har").write_text('{"log": {"version": "1.2", "entries": []}}')

    assert main(["judge", "--target", "a", "empty.har"]) == 3
    assert main(["judge", "--target", "b", "empty.har"]) == 2
    assert "has no target 'b'" in capsys.readouterr().err
