"""A run, what it leaves behind and its replays all go the way that the targets file says, and show no secret of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.core.curl import Script
from contracts.core.target import ConnectionOptions
from contracts.transport.wire import Request
from tests.contracts.authority import AUTHORITY
from tests.contracts.commands import URL, ports_to, ran
from tests.contracts.gateways import HEADER, SECRET, Gate, Place, forms_in, placed
from tests.contracts.inner_pytest import pytested
from tests.contracts.runs import client
from tests.mutants import MUTANTS
from tests.serving import serving
from tests.waiting import PATIENCE

COMMAND = Path(sys.executable).parent / "arklow-contracts"
KEYS = {"good-key-one": "1"}
TARGETS = """
[defaults]
org = 1
rate = 1000
[targets.staging]
api_key = "file:key"
headers = {x-gate = "env:GATE"}
name_prefix = "here"
intrusive = true
"""


def test_curl_lines_say_how_the_deployment_is_reached() -> None:
    """With the header as a shell variable."""
    exchange = client("https://staging.example").unanswered(Request("GET", "/v1/ack"))

    line = Script(
        {}, ConnectionOptions((HEADER,), "our ca.pem", "me.pem", "me.key", "http://proxy:3128")
    ).render([exchange])

    assert line == (
        "curl -sS --globoff -i https://staging.example/v1/ack --cacert 'our ca.pem' --cert me.pem --key me.key "
        "--proxy http://proxy:3128 -H 'x-gate: '\"$GATE\""
    )


def test_a_run_its_curl_lines_its_tests_and_its_replays_send_the_header_and_do_not_show_it(
    here: Path,
) -> None:
    """The gate refuses none of their requests; without a value of the header it refuses a test, which says so."""
    gates: list[Gate] = []

    def gated(clock):  # type: ignore[no-untyped-def]
        gates.append(Gate(MUTANTS["R30"](keys=KEYS, clock=clock), HEADER.name, HEADER.value))
        return gates[-1]

    (here / "key").write_text("good-key-one\n")
    (here / "targets.toml").write_text(f'{TARGETS}\nbase_url = "{URL}"')
    check = ran(
        *("check", "--target", "staging", "--only", "PAGE-5", "--report-dir", "out"),
        ports=ports_to(gated),
        GATE=SECRET,
    )
    report = json.loads((here / "out" / "report.json").read_text("utf-8"))
    [finding, *_] = [one for one in report["violations"] if one["rule"] == "PAGE-5"]
    replay = ran("replay", finding["id"], "--target", "staging", ports=ports_to(gated), GATE=SECRET)
    [file] = (here / "out" / "tests").glob("test_page_5_*.py")
    with serving(Gate(MUTANTS["R30"](keys=KEYS), HEADER.name, HEADER.value)) as url:
        environment = {"ARKLOW_BASE_URL": url, "ARKLOW_API_KEY": "good-key-one"}
        test = pytested(here, file, environment=environment | {"GATE": SECRET})
        refused = pytested(here, file, environment=environment | {"GATE": ""})
        unset = pytested(here, file, "-rs", environment=environment)

    assert (check.code, report["interference"]) == (1, {}), check.errors + check.out
    assert report["requests"] >= 10
    assert [gate.refused for gate in gates] == [[], []]
    assert f"{finding['id']} shows again: 3 of 3" in replay.out, replay
    assert "-H 'x-gate: '\"$GATE\"" in finding["curl"]
    assert (test.code, "data/version" in test.out) == (1, True), test.out
    assert (refused.code, "403" in refused.out) == (1, True), refused.out
    assert (unset.code, "not attempted: set GATE" in unset.out) == (0, True), unset.out
    left = [one.read_text("utf-8") for one in (here / "out").rglob("*.*")]
    everything = "".join([*left, *(one.out + one.errors for one in (check, replay, test, refused))])
    assert (forms_in(SECRET, everything), "s3cret" in everything) == ([], False)
    assert forms_in("good-key-one", everything) == []


# By processes, through TLS and a proxy


@pytest.fixture
def staging(here: Path) -> Iterator[Place]:
    """Serve a mutant behind all of it, and write the targets file that names it."""
    with placed(MUTANTS["R30"](keys=KEYS), tls=True, mutual=True, proxy="http") as there:
        assert there.proxy is not None
        (here / "key").write_text("good-key-one\n")
        (here / "targets.toml").write_text(
            f"""{TARGETS}
            base_url = "{there.url}"
            ca = "{AUTHORITY.ca}"
            client_certificate = "{AUTHORITY.certificate}"
            client_key = "{AUTHORITY.key}"
            proxy = "{there.proxy.url}"
            """
        )
        yield there


SPY = '''
"""A resolver that writes down every name it is asked for."""
import socket

real = socket.getaddrinfo


def getaddrinfo(host, port, *more, **others):
    with open({asked!r}, "a") as file:
        print(host, file=file)
    return real(host, port, *more, **others)


socket.getaddrinfo = getaddrinfo
'''


@pytest.mark.slow
def test_a_whole_run_its_curl_lines_its_tests_and_its_replays_go_the_same_way(
    staging: Place, here: Path
) -> None:
    """The header goes with every request, only the proxy is looked up, and nothing that is left behind has a secret."""
    spied = here / "spied"
    spied.mkdir()
    (spied / "sitecustomize.py").write_text(SPY.format(asked=str(spied / "asked")))
    environment = {
        **os.environ,
        "GATE": SECRET,
        "HOME": "/nowhere",  # which Schemathesis would read into the header
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(spied), os.environ.get("PYTHONPATH", "")]),
    }

    def ran(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        everything = {**environment, **more}
        return subprocess.run(
            [str(word) for word in words],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
            env=everything,
        )

    check = ran(
        COMMAND,
        "check",
        "--target",
        "staging",
        "--max-requests",
        "400",
        "--max-time",
        "600",
        "--report-dir",
        "out",
    )
    report = json.loads((here / "out" / "report.json").read_text("utf-8"))
    [finding, *_] = [one for one in report["violations"] if one["rule"] == "PAGE-5"]
    passed = staging.gate.passed

    replay = ran(COMMAND, "replay", finding["id"], "--target", "staging")
    [file] = (here / "out" / "tests").glob("test_page_5_*.py")
    pytested = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", file)
    curl = ran("sh", "-c", finding["curl"], ARKLOW_API_KEY="good-key-one")
    test = ran(*pytested, ARKLOW_API_KEY="good-key-one")
    refused = ran(*pytested, ARKLOW_API_KEY="good-key-one", GATE="")
    unset = ran("env", "-u", "GATE", *pytested, ARKLOW_API_KEY="good-key-one")

    assert (check.returncode, report["interference"]) == (1, {}), check.stderr + check.stdout
    assert passed > 200
    assert f"{finding['id']} shows again: 3 of 3" in replay.stdout, replay.stdout + replay.stderr
    assert '"version"' in curl.stdout, curl.stderr
    assert (test.returncode, "data/version" in test.stdout) == (1, True), test.stdout
    assert (refused.returncode, "403" in refused.stdout) == (1, True), refused.stdout
    assert (unset.returncode, "not attempted: set GATE" in unset.stdout) == (0, True), unset.stdout
    assert len(staging.gate.refused) == 1  # by the test without a value alone
    assert set((spied / "asked").read_text().split()) == {"127.0.0.1"}
    left = [one.read_text("utf-8") for one in (here / "out").rglob("*.*")]
    everything = "".join([*left, *(one.stdout + one.stderr for one in (check, replay, test, refused))])
    assert (forms_in(SECRET, everything), "s3cret" in everything) == ([], False)
    assert forms_in("good-key-one", everything) == []
    assert "$GATE" in everything
