"""How `arklow-mock` starts and ends, in this process: flags to a world, files that cannot be used, the ready file."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mock_server import __version__
from mock_server.cli.main import main
from mock_server.settings import OVERLAID, PUBLISHED
from tests.running_mock import JSON, KEY, PUT, Ran, mock_here, ran_here

PORTS = ("--port", "0", "--ingress-port", "0", "--admin-port", "0")
STUB = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/v1/new: {get: {responses: {'200': {description: ok}}}}}\n"


def test_switches_reach_the_world() -> None:
    """Keys, unknown variants, bodies without a payload, and what is kept."""
    flags = ["--auto-define", "--raw-bodies", "--key", "a=b=7", "--key", "k=8", "--max-actions", "2"]
    with mock_here(*flags, "--journal", "5", "--seed", "7", "--max-body-mib", "0.001") as running:
        ids = [running.call("POST", "/v1/ingress/new", {"order_id": n}).data["a_id"] for n in range(3)]
        for key in ("a=b", "k", "dev-key"):
            headers = JSON | {"x-arklow-auth": key}
            assert running.call("POST", "/v1/ingress/new", 1, headers=headers).status == 200
        used = [item["org_id"] for item in running.command("GET", "/organisations").data["items"]]

        assert used == ["42", "7", "8", "1"]
        assert running.command("GET", "/organisations/42").data["seed"] == 7
        assert running.modack(ids[0]).refusal == (404, "DROPPED_ACTION")
        large = running.call("POST", "/v1/ingress/new", {"payload": "x" * 1_049})
        assert large.refusal == (400, "BODY_TOO_LARGE")
        kept = running.command("GET", "/organisations/42/journal").data
        assert kept["first"] > 1


def test_limits_of_payloads_and_schemas_reach_the_world() -> None:
    """In MiB, and for definitions whose schema cannot be enforced."""
    with mock_here("--max-payload-mib", "0.001", "--strict-schemas") as running:
        assert running.put().status == 200
        ids = [running.accept(payload="x" * 500).data["a_id"] for _ in range(3)]

        assert running.modack(ids[0]).refusal == (404, "DROPPED_ACTION")
        assert running.modack(ids[2]).status == 200
        assert running.put("w", schema={"$ref": "http://elsewhere.invalid/x"}).refusal == (
            400,
            "SCHEMA_NOT_ENFORCEABLE",
        )


def test_where_webhooks_may_go_reaches_the_world() -> None:
    """To a host that was allowed, beside this machine."""
    with mock_here("--deliver-to", "hooks.example") as running:
        told = {}
        for host in ("hooks.example", "other.example"):
            body = {"label": "d", "type": "webhook", "config": {"url": f"http://{host}/"}}
            told[host] = running.command("PUT", "/organisations/42/destinations", body).data["not_called"]

    assert told["hooks.example"] is None
    assert "--deliver-to other.example" in told["other.example"]


@pytest.mark.parametrize(
    ("flags", "file"),
    [((), OVERLAID), (("--document-only",), PUBLISHED), (("--document", str(PUBLISHED)), PUBLISHED)],
)
def test_the_document_served_is_the_one_asked_for(flags: tuple[str, ...], file: Path) -> None:
    """--strict-document finds nothing to refuse in either of ours; its digest is in every answer."""
    with mock_here("serve", "--strict-document", *flags) as running:
        answer = running.call("GET", "/openapi.yaml", headers={})
        refused = running.call("GET", "/nowhere", headers={})

    digest = running.lines[0].split()[-1]
    assert answer.body == file.read_bytes()
    assert {one.headers["x-arklow-mock-document"] for one in (answer, refused)} == {digest}


def test_strict_document_refuses_what_is_not_wholly_served(tmp_path: Path) -> None:
    """A stub, a spare handler or an ignored keyword stops the start; without the flag the table says so."""
    file = tmp_path / "part.yaml"
    file.write_text(STUB)
    strict = ran_here("--document", str(file), "--strict-document", *PORTS)

    assert strict.returncode == 2
    assert "GET    /v1/new  stub" in strict.stdout
    assert "handler without an operation: modAckIngressAction" in strict.stdout
    assert (
        strict.stderr
        == "arklow-mock: --strict-document: the document is not wholly served; see the table above\n"
    )
    with mock_here("--document", str(file)) as running:
        assert running.call("GET", "/v1/new", headers=KEY).headers["x-arklow-mock-stub"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--document", "{0}/nope.yaml"), "cannot serve the document: "),
        (("--document", "{0}"), "--document {0}: Is a directory: expected a file; --spec-dir takes a directory of pages"),
        (("--spec-dir", "{0}/nope"), "--spec-dir {0}/nope: expected a directory of pages; --document takes a file"),
        (("--host", "203.0.113.1"), "cannot listen on 203.0.113.1 port 0: "),
        (("--admin-host", "203.0.113.1"), "cannot listen on 203.0.113.1 port 0: "),
        (("--ready-file", "{0}/no/folder/ready.json"), "--ready-file: expected a file that can be written, got {0}/no/"),
        (("--seed-file", "{0}/none.yaml"), "{0}/none.yaml: expected a file that can be read, got none ("),
        (("--interpretations", "{0}/none.yaml"), "{0}/none.yaml: expected a file that can be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_sentence_and_exit_code_2(
    tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    """Nothing is printed before it, and nothing is left open."""
    ran = ran_here(*PORTS, *(flag.format(tmp_path) for flag in flags))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"arklow-mock: {message.format(tmp_path)}")
    assert ran.stderr.count("\n") == 1


INTERPRETATIONS = """\
target: https://staging.example
interpretations:
  unknown variant: made on the fly
  delivery: not at once
"""


def test_a_file_of_interpretations_is_taken_as_far_as_the_mock_can(tmp_path: Path) -> None:
    """One line says what the mock cannot do, and it serves; a switch that says the same may be given too."""
    file = tmp_path / "interpretations.yaml"
    file.write_text(INTERPRETATIONS)

    for more in ((), ("--auto-define",)):
        with mock_here(*more, "--interpretations", str(file)) as running:
            told = [line for line in running.lines if "interpretations" in line]
            assert running.accept("new").status == 200
        assert told == [
            "  interpretations.yaml: 1 interpretations taken; not taken, as the mock cannot do so: delivery: not at once"
        ]


@pytest.mark.parametrize(
    ("flag", "text", "complaint"),
    [
        (
            "--auto-define",
            "interpretations: {unknown variant: refused}",
            "line 1, interpretations/unknown variant: expected 'made on the fly' beside --auto-define, got 'refused'",
        ),
        (
            "--raw-bodies",
            "interpretations:\n  ingress body: whole body",
            "line 2, interpretations/ingress body: expected 'envelope, whole without payload' beside --raw-bodies, got 'whole body'",
        ),
    ],
)
def test_a_switch_that_contradicts_the_file_stops_the_start(
    tmp_path: Path, flag: str, text: str, complaint: str
) -> None:
    """One line names both; without the switch the file is taken."""
    file = tmp_path / "interpretations.yaml"
    file.write_text(text)

    ran = ran_here(*PORTS, flag, "--interpretations", str(file))
    assert ran == Ran(2, "", f"arklow-mock: interpretations.yaml {complaint}\n")
    with mock_here("--interpretations", str(file)) as running:
        assert running.put().status == 200


def test_the_ready_file_says_where_the_mock_answers_while_it_does(tmp_path: Path) -> None:
    """With the token, which is another one each time."""
    ready = tmp_path / "ready.json"
    tokens = set()
    for _ in range(2):
        with mock_here("--ready-file", str(ready)) as running:
            assert running.call("GET", "/openapi.json", headers={}).status == 200
            facts = json.loads(ready.read_bytes())
            assert facts == {
                "pid": os.getpid(),
                "base_url": f"http://localhost:{running.port}",
                "ingress_url": f"http://localhost:{running.ingress_port}",
                "admin_url": f"http://localhost:{running.admin_port}",
                "admin_token": running.admin_token,
                "document": f"http://localhost:{running.port}/openapi.json",
            }
            tokens.add(running.admin_token)
        assert list(tmp_path.iterdir()) == []
    assert len(tokens) == 2
    assert min(map(len, tokens)) == 32


def test_both_ports_serve_every_operation_over_one_state() -> None:
    """A definition that one of them took is known at the other."""
    with mock_here("--host", "127.0.0.1", "--no-admin") as running:
        first = running.put("both").body
        running.port = running.ingress_port
        assert running.put("both").body == first
        assert running.call("GET", PUT.replace("definitions", "records")).status == 200


def test_the_end_of_what_serves_is_the_end_of_the_command(tmp_path: Path) -> None:
    """Exit code 0, also when it was ended by Ctrl-C."""
    with (tmp_path / "output").open("w+") as output:

        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        assert main(["--no-admin", *PORTS[:4]], output=output, serve=interrupted) == 0
        assert main(["--no-admin", *PORTS[:4]], output=output, serve=lambda *_: None) == 0


def test_the_arguments_and_streams_are_those_of_the_process_unless_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the installed command is called."""
    monkeypatch.setattr(sys, "argv", ["arklow-mock", "export", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == f"arklow-mock {__version__}\n"
    monkeypatch.setattr(sys, "argv", ["arklow-mock", "--spec-dir", "/nowhere"])
    assert main() == 2
    assert "--spec-dir /nowhere" in capsys.readouterr().err


def test_an_output_that_is_closed_or_full_is_no_reason_not_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """As some supervisors leave it; what is printed is lost."""
    served = []
    full = open("/dev/full", "w")  # noqa: PTH123, SIM115
    assert main(["--no-admin", *PORTS[:4]], output=full, serve=lambda *_: served.append(1)) == 0
    with pytest.raises(OSError, match="No space left"):
        full.close()
    monkeypatch.setattr(sys, "stdout", None)
    try:
        assert main(["--no-admin", *PORTS[:4]], errors=io.StringIO(), serve=lambda *_: served.append(2)) == 0
    finally:
        assert sys.stdout is not None
        sys.stdout.close()
    assert served == [1, 2]
