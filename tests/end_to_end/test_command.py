"""The command as a user meets it: flags, ports, what it prints, the end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import pytest

from mock_server import __version__
from mock_server.cli import flags
from mock_server.settings import OVERLAID, PUBLISHED
from tests.replies import ask, read_reply
from tests.running_mock import JSON, KEY, PUT, Ran, RunningMock, mock, mock_here, ran_here
from tests.waiting import PATIENCE, wait_until


def _run(*flags: str) -> Ran:
    """Run a start that is expected to fail."""
    return ran_here("--admin-port", "0", *flags)


def test_the_start_up_table_names_every_operation_and_address(served: RunningMock) -> None:
    """It says what is handled and what is ignored, where to call, and which keys work."""
    text = "\n".join(served.lines[: served.lines.index("Ready. Ctrl-C stops.")])

    assert "arklow-mock serves arklow.overlaid.openapi.yaml" in text
    for operation in (
        "POST   /v1/ingress/{variant}",
        "POST   /v1/modack",
        "POST   /v1/defer",
        "GET    /v1/orgs/{org_id}/actions/records/{id}",
        f"PUT    {PUT.replace('42', '{org_id}')}",
    ):
        assert re.search(re.escape(operation) + r" +handled", text)
    assert "ignored keywords and formats: none" in text
    assert f"http://localhost:{served.port} " in text


def test_both_ports_serve_every_operation_over_one_state_on_both_addresses(served: RunningMock) -> None:
    """The ports of control plane and ingress, on 127.0.0.1 and on ::1."""
    body = b'{"variant":"both","schema":1}'
    answers = [
        ask(f"http://{host}:{port}", "PUT", PUT, body, headers=KEY | JSON).body
        for host in ("127.0.0.1", "[::1]")
        for port in (served.port, served.ingress_port)
    ]

    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_the_log_has_a_line_for_a_request(served: RunningMock) -> None:
    """The line has the time of day, status, operation, organisation, milliseconds, and the reason of a refusal."""
    served.call("POST", "/v1/ingress/not-logged-before", {"payload": 1})

    line = served.line_with("not-logged-before")
    assert re.match(
        r"\d\d:\d\d:\d\d 400 createIngressVariantAction  org 42  \d+\.\d ms  UNKNOWN_VARIANT path variant: ",
        line,
    )


@pytest.mark.parametrize(
    ("flags", "file"),
    [((), OVERLAID), (("--document-only",), PUBLISHED), (("--document", str(PUBLISHED)), PUBLISHED)],
)
def test_the_document_served_is_the_one_asked_for(flags: tuple[str, ...], file: Path) -> None:
    """--strict-document finds nothing to refuse in either of ours."""
    with mock_here("serve", "--strict-document", *flags) as running:
        assert running.call("GET", "/openapi.yaml").body == file.read_bytes()


INTERPRETATIONS = """\
target: https://staging.example
interpretations:
  unknown variant: made on the fly
  delivery: not at once
  an attempt that is over: 404 or 401
"""


def test_a_file_of_interpretations_is_taken_as_far_as_the_mock_can(tmp_path: Path) -> None:
    """One line says what the mock cannot do, and it serves; a switch that says the same may be given too."""
    file = tmp_path / "interpretations.yaml"
    file.write_text(INTERPRETATIONS.replace("404 or 401", "404"))

    with mock_here("serve", "--auto-define", "--interpretations", str(file)) as running:
        told = [line for line in running.lines if "interpretations" in line]
        status = running.accept("new").status

    assert told == [
        "  interpretations.yaml: 2 interpretations taken; not taken, as the mock cannot do so: delivery: not at once"
    ]
    assert status == 200


@pytest.mark.parametrize(
    ("flags", "text", "complaint"),
    [
        (
            ("--auto-define",),
            "interpretations: {unknown variant: refused}",
            (
                "interpretations.yaml line 1, interpretations/unknown variant: expected 'made on the fly' beside --auto-define, "
                "got 'refused'"
            ),
        ),
        (
            ("--raw-bodies",),
            "interpretations:\n  ingress body: whole body",
            (
                "interpretations.yaml line 2, interpretations/ingress body: expected 'envelope, whole without payload' beside "
                "--raw-bodies, got 'whole body'"
            ),
        ),
        (
            (),
            INTERPRETATIONS,
            "interpretations.yaml line 5, interpretations/an attempt that is over: expected '409' or '404', got '404 or 401'",
        ),
    ],
)
def test_interpretations_that_cannot_be_taken_stop_the_start(
    tmp_path: Path, flags: tuple[str, ...], text: str, complaint: str
) -> None:
    """Exit code 2 and one line, which names the flag that contradicts the file."""
    file = tmp_path / "interpretations.yaml"
    file.write_text(text)

    ran = _run(*flags, "--interpretations", str(file))

    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"arklow-mock: {complaint}\n")


def test_strict_document_refuses_what_is_not_wholly_served(tmp_path: Path) -> None:
    """A stub, a spare handler or an ignored keyword stops the start with exit code 2."""
    file = tmp_path / "part.yaml"
    file.write_text(
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/v1/new: {get: {responses: {'200': {description: ok}}}}}\n"
    )

    strict = _run("--document", str(file), "--strict-document", "--port", "0", "--ingress-port", "0")

    assert strict.returncode == 2
    assert "GET    /v1/new  stub" in strict.stdout
    assert "handler without an operation: modAckIngressAction" in strict.stdout
    assert "--strict-document" in strict.stderr


def test_switches_reach_the_world() -> None:
    """--auto-define, --raw-bodies, --key and --host have their effect."""
    with mock_here(
        "--auto-define", "--raw-bodies", "--key", "a=b=7", "--key", "k=8", "--host", "127.0.0.1"
    ) as running:
        json = {"content-type": "application/json"}

        assert running.call("POST", "/v1/ingress/new", {"order_id": 1}).status == 200
        for key in ("a=b", "k", "dev-key"):
            assert (
                running.call("POST", "/v1/ingress/new", 1, headers=json | {"x-arklow-auth": key}).status
                == 200
            )
        with pytest.raises(OSError, match=r"."):
            socket.create_connection(("::1", running.port), 1)


@pytest.mark.parametrize("command", [(), ("serve",), ("export",)], ids=" ".join)
def test_the_version_is_printed(command: tuple[str, ...]) -> None:
    """It is that of the package, for each command."""
    printed = ran_here(*command, "--version")

    assert (printed.returncode, printed.stdout) == (0, f"arklow-mock {__version__}\n")


@pytest.mark.parametrize(
    ("parser", "table"), [(flags.parser, flags.FLAGS), (flags.export_parser, flags.EXPORT_FLAGS)]
)
def test_the_help_has_every_flag_under_its_heading(
    parser: Callable[[], ArgumentParser], table: tuple[flags.Flag, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With examples and exit codes, in lines that fit a terminal of a hundred columns."""
    monkeypatch.setenv("COLUMNS", "100")
    text = parser().format_help()
    parts = dict(re.findall(r"^(\S[^\n]*):\n((?:  [^\n]*\n)+)", text, re.MULTILINE))

    for flag in table:
        assert re.search(rf"^  .*{flag.names[-1]}\b", parts[flag.group], re.MULTILINE), flag.names
    assert {"examples", "exit codes"} <= parts.keys()
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--document", "/nope.yaml"), "cannot serve the document"),
        (("--host", "203.0.113.1"), "cannot listen on 203.0.113.1"),
    ],
)
def test_what_cannot_be_had_is_one_sentence_and_exit_code_2(flags: tuple[str, ...], message: str) -> None:
    """There is never a traceback."""
    failed = _run("--port", "0", "--ingress-port", "0", *flags)

    assert failed.returncode == 2
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ("--port", "70000"),
        ("--port", "x"),
        ("--max-actions", "0"),
        ("--max-body-mib", "-1"),
        ("--document", "a", "--document-only"),
        ("--key", "nonsense"),
        ("--key", "k=x"),
        ("--nope",),
    ],
)
def test_wrong_flags_are_usage_errors(flags: tuple[str, ...]) -> None:
    """The message says what was expected."""
    failed = _run(*flags)

    assert failed.returncode == 2
    assert "usage: arklow-mock" in failed.stderr


def test_a_port_that_is_taken_is_named(served: RunningMock) -> None:
    """The message has its number, and nothing half-started stays behind."""
    failed = _run("--port", str(served.port))

    assert failed.returncode == 2
    assert f"port {served.port}" in failed.stderr


def test_the_ready_file_says_where_the_mock_answers_while_it_does(tmp_path: Path) -> None:
    """It is gone at the end; without an admin plane it has no token."""
    ready = tmp_path / "ready.json"
    with mock_here("--ready-file", str(ready)) as running:
        facts = wait_until(lambda: json.loads(ready.read_text()) if ready.exists() else None)
        assert (
            ask(facts["ingress_url"], "GET", facts["document"].removeprefix(facts["base_url"])).status == 200
        )
        assert facts["base_url"].endswith(f":{running.port}")
        assert (facts["pid"], facts["admin_token"]) == (os.getpid(), running.admin_token)
        assert facts["admin_url"].endswith(f":{running.admin_port}")
    assert list(tmp_path.iterdir()) == []

    with mock_here("--no-admin", "--ready-file", str(ready)):
        facts = wait_until(lambda: json.loads(ready.read_text()) if ready.exists() else None)
    assert (facts["admin_url"], facts["admin_token"]) == (None, None)


def test_a_ready_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """Exit code 2 and one line; nothing is served."""
    path = tmp_path / "no" / "ready.json"
    ran = _run("--port", "0", "--ingress-port", "0", "--ready-file", str(path))

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(
        f"arklow-mock: --ready-file: expected a file that can be written, got {path} ("
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Ctrl-C is no error, and a request whose body is still on its way gets an answer."""
    with mock() as running, socket.create_connection(("127.0.0.1", running.port)) as held:
        head = (
            "POST /v1/modack HTTP/1.1\r\nhost: m\r\nx-arklow-auth: org-42\r\ncontent-type: application/json"
        )
        held.sendall(f"{head}\r\ncontent-length: 9\r\n\r\n{{".encode())
        running.call("GET", "/openapi.json", headers={})
        running.process.send_signal(number)

        assert read_reply(held).error["code"] == "BODY_INCOMPLETE"
        assert running.process.wait(timeout=PATIENCE) == 0
        assert not [line for line in running.lines if "Traceback" in line]


@pytest.mark.slow
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_an_output_that_cannot_be_written_is_no_reason_not_to_serve(output: str, tmp_path: Path) -> None:
    """The output is closed, as some supervisors leave it, or the disk is full."""
    ready = tmp_path / "ready.json"
    flags = f"--port 0 --ingress-port 0 --admin-port 0 --ready-file '{ready}'"
    script = f"exec {sys.executable} -m mock_server {flags} {output}"
    process = subprocess.Popen(["bash", "-c", script], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None)
        facts = json.loads(ready.read_text())
        for _ in range(3):
            assert ask(facts["base_url"], "PUT", PUT, b"{}", headers=KEY | JSON).status == 400
    finally:
        process.terminate()
        said = process.communicate(timeout=PATIENCE)[1]

    assert "Traceback" not in said
    assert process.returncode == 0
