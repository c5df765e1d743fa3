"""How `arklow-mock` starts and ends, in this process: flags to a world, files that cannot be used, the ready file."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import mock_server
from mock_server import __version__
from mock_server.app import create_app
from mock_server.cli.main import main
from mock_server.settings import PUBLISHED
from tests.running_mock import JSON, mock_here, ran_here

PORTS = ("--port", "0", "--ingress-port", "0", "--admin-port", "0")


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
        assert running.put("w", schema={"type": 5}).refusal == (
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


def test_the_digest_of_the_document_is_in_every_answer() -> None:
    """As the first line shows it; a refusal has it, and so has what is no HTTP."""
    with mock_here("--document-only") as running:
        answers = [running.call("GET", path, headers={}) for path in ("/openapi.yaml", "/nowhere")]
        answers.append(running.raw(b"nonsense\r\n\r\n"))

    assert answers[0].body == PUBLISHED.read_bytes()
    assert {one.headers["x-arklow-mock-document"] for one in answers} == {running.lines[0].split()[-1]}


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
    assert all(re.fullmatch("[0-9a-f]{48}", token) for token in tokens)


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


def test_the_package_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `python -m mock_server`; its exit code is that of the command."""
    monkeypatch.setattr(sys, "argv", ["mock_server", "--spec-dir", "/nowhere"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("mock_server", run_name="__main__")

    assert ended.value.code == 2
    assert "--spec-dir /nowhere" in capsys.readouterr().err


def test_the_package_gives_what_makes_a_mock() -> None:
    """Loaded on first use; it has no other name."""
    assert mock_server.create_app is create_app
    with pytest.raises(AttributeError, match="nothing"):
        _ = mock_server.nothing


# Full disks, and words of others

HOSTILE = "\x1b[31m\x1b]0;x\x07\n::error::y\r\x9b"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_an_export_to_a_full_disk_is_one_line() -> None:
    """With the reason, and exit code 2."""
    errors = io.StringIO()
    with mock_here("--admin-token", "t") as running, Path("/dev/full").open("w") as full:
        words = ["export", "--admin-url", f"http://127.0.0.1:{running.admin_port}", "--admin-token", "t"]
        assert main(words, output=full, errors=errors) == 2

    assert errors.getvalue() == "arklow-mock: standard output: No space left on device\n"


def document(**members: Any) -> dict[str, Any]:
    """Return the published document with other members."""
    return {**yaml.safe_load(PUBLISHED.read_bytes()), **members}


@pytest.mark.parametrize(
    "content",
    [
        {"openapi": f"3.0{HOSTILE}"},
        document(paths={f"/x{HOSTILE}": {"get": {"responses": {"200": {"$ref": f"http://{HOSTILE}"}}}}}),
        document(paths={f"/x{HOSTILE}": {"get": {"responses": {"200": {"$ref": f"#/{HOSTILE}"}}}}}),
        document(paths={f"/x{HOSTILE}": {"get": {"responses": {HOSTILE: 5}, "security": [{HOSTILE: []}]}}}),
        document(paths={HOSTILE: 7}),
        document(components={"schemas": {HOSTILE: {"type": HOSTILE, "pattern": f"({HOSTILE}"}}}),
    ],
    ids=["version", "reference", "dangling reference", "answer", "path", "schema"],
)
@pytest.mark.parametrize("name", ["d.json", "\x1b[31m.json"])
def test_a_hostile_document_is_refused_in_one_line(
    content: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """Escaped, and without a traceback."""
    (tmp_path / name).write_text(json.dumps(content))

    done = ran_here("--document", str(tmp_path / name), *PORTS)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("arklow-mock: ")
    assert done.stderr.rstrip("\n").isprintable()


def test_the_paths_of_a_document_are_printed_escaped(tmp_path: Path) -> None:
    """When it can be served."""
    operation = {"get": {"responses": {"200": {"description": HOSTILE}}}}
    served = document()
    served["paths"][f"/x{HOSTILE}"] = operation
    (tmp_path / "d.json").write_text(json.dumps(served))

    with mock_here("--document", str(tmp_path / "d.json"), "--no-admin") as running:
        lines = [line for line in running.lines if "/x" in line]

    assert lines
    assert all(line.isprintable() for line in lines)
