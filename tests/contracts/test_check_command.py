"""The command line `check`: exit codes, messages, reports, no traceback, no stray files."""

from __future__ import annotations

import errno
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from contracts.cli import main
from contracts.commands.ports import Ports
from contracts.commands.rule_sources import explain
from contracts.reports.json_report import SCHEMA
from contracts.transport.interference import Interference
from tests.clocks import VirtualClock
from tests.contracts.commands import URL, Make, checked, closed_pipe, ports_to, ran
from tests.contracts.ports import ScriptedTransport
from tests.contracts.recorder import OK, recording
from tests.mutants import MUTANTS, ConformingServer

SECRET = "s3cret-key-of-one"
KNOWN = ("--api-key", "good-key-one", "--org", "1")


def conforming(clock: VirtualClock) -> ConformingServer:
    """Make a deployment that breaks no rule."""
    return ConformingServer(clock=clock)


def echoing(clock: VirtualClock) -> ConformingServer:
    """Make a deployment whose action ids are not digits, and which echoes keys."""
    return MUTANTS["R04"](keys={SECRET: "1"}, clock=clock)


def mutant(id: str) -> Make:
    """Return what makes a mutant."""
    return lambda clock: MUTANTS[id](clock=clock)


# Command lines that cannot be carried out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["check"], "--base-url"),
        (["check", "--base-url", "localhost:3123"], "is not a URL such as http://localhost:3123"),
        (["check", "--base-url", "http://localhost:x"], "is not a URL"),
        (
            ["check", "--base-url", "http://h", "--api-key", "env:NO_SUCH"],
            "the environment has no variable NO_SUCH",
        ),
        (["check", "--base-url", "http://h", "--org", "abc"], "the organisation 'abc' is not a number"),
        (["check", "--base-url", "http://h", "--api-key", "a b"], "a key is printable ASCII without blanks"),
        (
            ["check", "--base-url", "http://h", "--only", "PAGE-99"],
            "there is no rule 'PAGE-99'; did you mean PAGE-9",
        ),
        (["check", "--base-url", "http://h", "--max-time", "0"], "from 1 to 1000000 seconds"),
        (["check", "--base-url", "http://h", "--seed", "-1"], "a seed is 0 or more"),
        (["check", "--base-url", "http://h", "--second-org", "2"], "belong together"),
        (["check", "--base-url", "http://h", "--second-org", "1", "--second-api-key", "k2"], "must differ"),
        (["check", "--base-url", "http://h", "--document", "missing.yaml"], "missing.yaml: No such file"),
        (["check", "--base-url", "http://h", "--document", "."], "Is a directory"),
        (["check", "--base-url", "http://h", "--report-dir", "/dev/null/x"], "--report-dir /dev/null/x"),
        (["check", "--base-url", "http://h", "--wait", "0"], "from 1 to 3600 seconds"),
        (["check", "--base-url", "http://h", "--admin-token", "t"], "is of no use without --admin-url"),
        (
            ["check", "--base-url", "http://h", "--admin-url", "http://h"],
            "needs the token that the mock printed",
        ),
        (["check", "--base-url", "http://h", "--admin-url", "h", "--admin-token", "t"], "is not a URL"),
        (["explain"], "the following arguments are required: RULE"),
        (["explain", "PAGE-99"], "there is no rule 'PAGE-99'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_line_that_cannot_be_carried_out_exits_with_2(
    arguments: list[str], said: str, here: Path
) -> None:
    """One line says what was wrong, where, and what would pass."""
    if "--base-url" in arguments:
        for flag, value in (("--api-key", "k"), ("--org", "1")):
            arguments = arguments if flag in arguments else [*arguments, flag, value]

    done = ran(*arguments)

    assert (done.code, done.out, len(done.errors.splitlines())) == (2, "", 1)
    assert done.errors.startswith("arklow-contracts: ")
    assert said in done.errors
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: 'http://127.0.0.1:9/x'}}}}}",
        "{",
        "openapi: 3.0.0",
        "openapi: 3.1.0\npaths: []",
        "openapi: 3.1.0\npaths: {}",
        "\x00",
    ],
)
def test_an_unreadable_document_exits_with_2(text: str, here: Path) -> None:
    """The message names the file, whatever is wrong with it."""
    (here / "d.yaml").write_text(text)

    done = ran("check", "--base-url", "http://h", *KNOWN, "--document", "d.yaml")

    assert done.code == 2
    assert "d.yaml" in done.errors


# Runs


@pytest.mark.usefixtures("here")
def test_a_failing_run_exits_with_1_and_its_summary_says_what_is_wrong() -> None:
    """It names rule, operation, expected and actual; the key stands as its variable."""
    done = checked(echoing, *("--api-key", "env:MY_KEY", "--only", "PAGE-5", "--seed", "3"), MY_KEY=SECRET)

    assert (done.code, done.lines[-1], done.errors) == (1, "FAILED  1 violation", "")
    for line in (
        "violation  POST /v1/ingress/{variant} breaks PAGE-5: `data/a_id` of a 200 breaks its schema",
        "VIOLATION  POST /v1/ingress/{variant} breaks PAGE-5: `data/a_id` of a 200 breaks its schema.",
        "  expected  data/a_id: a string that matches ^[0-9]+$",
        '  actual    "act_',
        "-H 'x-arklow-auth: '\"$MY_KEY\"",
    ):
        assert line in done.out
    assert SECRET not in done.out


def test_the_reports_of_a_failing_run_can_be_read(here: Path) -> None:
    """By programs and by people; the key is in none of them, and nothing else is left behind."""
    flags = ("--api-key", "env:MY_KEY", "--only", "PAGE-5", "--report-dir", "out", "--seed", "3")
    done = checked(echoing, *flags, MY_KEY=SECRET)

    assert done.lines[-1] == "FAILED  1 violation. Reports are in out/"
    report = json.loads((here / "out" / "report.json").read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    assert (report["target"], report["seed"], report["verdict"]) == (URL, 3, "violations")
    assert {"rule", "operation", "sentence", "expected", "actual", "curl"} <= report["violations"][0].keys()
    suite = ElementTree.parse(here / "out" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("tests")) == ("1", "1")
    assert f"target: {URL}\n" in (here / "out" / "interpretations.yaml").read_text("utf-8")
    page = (here / "out" / "report.html").read_text("utf-8")
    assert "data/a_id" in page
    assert "<script" not in page
    assert "http" not in page.replace(URL, "")
    everything = "".join(f.read_text("utf-8") for f in (here / "out").rglob("*.*"))
    assert SECRET not in everything
    assert {entry.name for entry in here.iterdir()} == {"out"}


@pytest.mark.usefixtures("here")
def test_strict_counts_warnings_as_violations() -> None:
    """Without it, AUTH-9 is a warning."""
    lax, strict = (checked(mutant("A14"), "--only", "auth-9", *more) for more in ((), ("--strict",)))

    assert (lax.code, lax.lines[-1]) == (0, "PASSED  no violation, 2 warnings")
    assert (strict.code, strict.lines[-1]) == (1, "FAILED  2 warnings (--strict)")


def test_an_inconclusive_run_exits_with_3(here: Path) -> None:
    """It says why, and names only the reports that were written."""
    done = checked(conforming, "--api-key", "no-key-at-all", "--report-dir", "out")

    assert done.code == 3
    verdict = (
        "INCONCLUSIVE  The target refuses the key $ARKLOW_API_KEY: every operation is answered with 401."
    )
    assert verdict in done.lines
    assert done.lines[-1] == f"{verdict} Reports are in out/"
    assert not (here / "out" / "tests").exists()


def test_keys_that_are_nearly_right_are_masked_like_the_right_one(here: Path) -> None:
    """Most of a key gives away the key."""
    done = checked(
        lambda clock: MUTANTS["A12"](keys={SECRET: "1"}, clock=clock),
        *("--api-key", SECRET, "--only", "AUTH-4", "--report-dir", "out"),
    )

    everything = done.out + "".join(f.read_text("utf-8") for f in (here / "out").rglob("*.*"))
    assert done.code == 1
    for part in (SECRET[:-1], SECRET[:8], SECRET.upper()[:8], SECRET.swapcase()[:8]):
        assert part not in everything


@pytest.mark.usefixtures("here")
def test_findings_are_announced_to_github() -> None:
    """Where its variable says that the run is one of its jobs."""
    done = checked(mutant("R04"), "--only", "PAGE-5", GITHUB_ACTIONS="true")

    assert any(line.startswith("::error") and "PAGE-5" in line for line in done.lines)
    assert "::error" not in checked(mutant("R04"), "--only", "PAGE-5").out


# How a command ends when something else breaks


class Impatient(io.StringIO):
    """An output whose reader presses Ctrl-C once a line says how many requests were sent."""

    pressed = False

    def write(self, text: str) -> int:
        if "requests" in text and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().write(text)


def test_an_interrupted_run_prints_its_summary() -> None:
    """After Ctrl-C the summary says that the run was interrupted."""
    output = Impatient()
    with redirect_stdout(output):
        code = main(["check", "--base-url", URL, *KNOWN], ports=ports_to(conforming))

    assert code == 3
    assert output.getvalue().splitlines()[-1] == "INCONCLUSIVE  The run was interrupted."


def test_a_closed_pipe_does_not_change_the_verdict(here: Path) -> None:
    """The run judges, writes its reports and exits with what it found."""
    flags = ("--only", "PAGE-5", "--report-dir", "out")
    with closed_pipe():
        code = main(["check", "--base-url", URL, *KNOWN, *flags], ports=ports_to(mutant("R04")))

    assert code == 1
    assert json.loads((here / "out" / "report.json").read_text("utf-8"))["verdict"] == "violations"


@pytest.mark.parametrize(
    "words",
    [["spec", "status"], ["explain", "PAGE-5"], ["check", "--base-url", URL, *KNOWN, "--dry-run"]],
    ids=" ".join,
)
def test_a_command_that_only_prints_ends_quietly_at_a_closed_pipe(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As after `| head`, and unbuffered as in a container."""
    with closed_pipe(buffered=False):
        code = main(words)

    assert (code, capsys.readouterr().err) == (3, "")


class FullDisk(io.RawIOBase):
    """A file on a full disk."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["explain", "PAGE-5"], 3),
        (["--version"], 3),
        (["check", "--base-url", URL, *KNOWN, "--only", "PAGE-5"], 1),
    ],
    ids=["explain", "version", "check"],
)
def test_output_that_cannot_be_written_is_said_in_one_line(
    words: list[str], code: int, buffered: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A verdict stands all the same; a command that only prints has failed."""
    raw = FullDisk()
    output = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", write_through=not buffered)
    with redirect_stdout(output):
        ended = main(words, ports=ports_to(mutant("R04")))

    assert ended == code
    said = "arklow-contracts: the output could not be written: No space left on device\n"
    assert capsys.readouterr().err == said
    with suppress(OSError):
        output.close()


@pytest.mark.parametrize(("encoding", "environment"), [("ascii", {}), ("utf-8", {"LC_ALL": "C"})])
def test_a_terminal_that_lacks_a_character_reads_the_same_verdict(
    encoding: str, environment: dict[str, str]
) -> None:
    """It is a word, and a sign of inconclusive it never becomes; characters that the terminal lacks are replaced."""
    terminal = io.TextIOWrapper(io.BytesIO(), encoding)
    with redirect_stdout(terminal):
        words = ["check", "--base-url", URL, *KNOWN, "--only", "PAGE-5"]
        code = main(words, environment=environment, ports=ports_to(mutant("R04")))

    assert code == 1
    assert terminal.buffer.getvalue().decode("ascii").splitlines()[-1] == "FAILED  1 violation"


def test_a_message_that_cannot_be_written_changes_no_exit_code() -> None:
    """As with `2> /dev/full`."""
    raw = FullDisk()
    errors = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8")
    with redirect_stderr(errors):
        assert main(["explain", "PAGE-99"]) == 2
    with suppress(OSError):
        errors.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
@pytest.mark.usefixtures("here")
def test_a_summary_of_the_job_that_cannot_be_written_is_said() -> None:
    """The verdict and the reports stand."""
    done = checked(mutant("R04"), "--only", "PAGE-5", "--report-dir", "out", GITHUB_STEP_SUMMARY="/dev/full")

    assert (done.code, done.lines[-1]) == (1, "FAILED  1 violation. Reports are in out/")
    assert "Not written   $GITHUB_STEP_SUMMARY: No space left on device" in done.lines


class Stopped(VirtualClock):
    """A clock that cannot be read, and says what it must not."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def now(self) -> float:
        raise RuntimeError(f"the clock\nis broken: {self._secret}")


def file_named_in(text: str) -> Path:
    """Return the file of a crash that a message names."""
    [name] = re.findall(r"please send us (\S+crash\.txt)", text)
    return Path(name)


def test_a_failure_of_the_judge_is_one_line_that_names_the_file_with_its_traceback() -> None:
    """The line has its place in the code; neither has a key."""
    words = ("check", "--base-url", URL, "--org", "1", "--api-key", "env:MY_KEY", "--header", "x=env:OTHER")
    done = ran(
        *words, ports=Ports(Stopped(SECRET)), MY_KEY=SECRET, OTHER="another-s3cret", A_TOKEN="a-third-one"
    )
    file = file_named_in(done.errors)
    left = file.read_text("utf-8")
    file.unlink()

    assert (done.code, done.out, len(done.errors.splitlines())) == (3, "", 1)
    assert "the judge itself failed, which proves nothing: RuntimeError: the clock" in done.errors
    assert "(test_check_command.py:" in done.errors
    assert "Traceback (most recent call last)" in left
    assert "RuntimeError: the clock" in left
    for text in (left, done.errors):
        assert SECRET not in text


@pytest.mark.parametrize("flags", [(), ("--report-dir", "out")], ids=["no reports", "reports"])
def test_the_traceback_of_a_run_is_with_its_reports_or_in_a_file_of_its_own(
    flags: tuple[str, ...], here: Path
) -> None:
    """The screen names it; the next run that does not fail takes it away."""

    def fail(_: object) -> Interference:
        raise RuntimeError(f"the wire\nis broken: {SECRET}")

    words = ("check", "--base-url", URL, "--org", "1", "--api-key", "env:MY_KEY", *flags)
    done = ran(*words, ports=Ports(VirtualClock(), ScriptedTransport(fail)), MY_KEY=SECRET)
    file = file_named_in(done.out)
    left = file.read_text("utf-8")

    assert (done.code, done.errors) == (3, "")
    assert done.lines[-1].startswith(
        "INCONCLUSIVE  The judge itself failed, which says nothing of the target"
    )
    assert "RuntimeError: the wire" in left
    assert "Traceback (most recent call last)" in left
    assert SECRET not in left + done.out
    if flags:
        assert file == Path("out/crash.txt")
        checked(conforming, *flags, "--only", "PAGE-5", "--max-time", "1")
        assert not file.exists()
    else:
        file.unlink()
    assert {entry.name for entry in here.iterdir()} <= {"out"}


def test_ctrl_c_before_a_run_begins_is_one_line() -> None:
    """It ends the command with the same exit code."""

    class Pressed(VirtualClock):
        def now(self) -> float:
            raise KeyboardInterrupt

    done = ran("check", "--base-url", URL, *KNOWN, ports=Ports(Pressed()))

    assert (done.code, done.out) == (3, "")
    assert done.errors == "arklow-contracts: interrupted, nothing is proved\n"


def test_a_target_that_is_not_there_is_inconclusive() -> None:
    """The summary says how it was missed."""
    transport = ScriptedTransport(lambda _: Interference("connection refused"))
    done = ran("check", "--base-url", URL, *KNOWN, ports=Ports(VirtualClock(), transport))

    assert (done.code, done.lines[-1]) == (
        3,
        f"INCONCLUSIVE  {URL} could not be reached within 12 s (--wait-for): connection refused.",
    )
    assert transport.closed


# Explanations


def test_rules_are_explained_without_a_deployment() -> None:
    """Codes may be in any case, and a blank line stands between two rules."""
    done = ran("explain", "page-9", "LEASE-9")

    assert (done.code, done.errors) == (0, "")
    assert done.out == "\n".join([*explain("PAGE-9"), "", *explain("LEASE-9"), ""])


def test_what_was_printed_has_left_the_process_when_a_command_ends() -> None:
    """Whatever buffers it."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(output):
        main(["explain", "page-9"])

    assert output.buffer.getvalue().decode().startswith("PAGE-9: ")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["check", "--help"]], ids=" ".join)
def test_version_and_help_are_printed_and_end_the_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 0."""
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(("arklow-contracts ", "usage: arklow-contracts "))


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (
            OK.replace(b"200 OK", b"404 Not Found"),
            2,
            "is no admin plane of a mock: the admin plane answers 404",
        ),
        (OK, 2, "is no admin plane of a mock: the admin plane answers 200, and with no clock"),
        (OK.replace(b"200 OK", b"401 No"), 3, "the admin plane answers 401; --admin-token has the token"),
        (
            OK.replace(b"200 OK", b"500 No"),
            3,
            "cannot be moved, as --admin-url asks for: the admin plane answers 500.",
        ),
    ],
    ids=["not found", "a page", "token", "broken"],
)
def test_an_admin_plane_that_does_not_move_its_clock_ends_the_run_before_it_begins(
    answer: bytes, code: int, said: str
) -> None:
    """A wrong URL is a wrong command line; a token that is refused proves nothing of the target."""
    with recording(answer) as recorder:
        flags = ("--admin-url", recorder.url, "--admin-token", "t")
        done = checked(lambda clock: ConformingServer(clock=clock), *flags)

    assert done.code == code, done.out + done.errors
    assert said in done.out + done.errors
