"""The command line of the judge: flags to a plan, exit codes, the only place that ends the process."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from .document import PUBLISHED, Unreadable
from .engine import LONG, Plan, Run, describe
from .events import Listener, RunFinished
from .explain import explain
from .reports.console import Patient, Terminal
from .rules import RULES
from .target import Admin, Credential, Target


class Usage(Exception):
    """What was asked for makes no sense; the text says what would."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 conforms, 1 violations, 2 usage, 3 inconclusive."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that a terminal lacks is no reason to fail
    try:
        options = parser().parse_args(argv)
        return _explain(options) if options.command == "explain" else _check(options, os.environ)
    except Usage as error:
        print(f"arklow-contracts: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\narklow-contracts: interrupted, nothing is proved", file=sys.stderr)
        return 3
    except Exception as error:
        print(
            f"arklow-contracts: the judge itself failed, which proves nothing: {describe(error)}",
            file=sys.stderr,
        )
        return 3
    finally:
        with suppress(OSError):
            sys.stdout.flush()


def _explain(options: argparse.Namespace) -> int:
    for number, code in enumerate(options.rules):
        print(*([""] if number else []), *explain(code), sep="\n")
    return 0


def _check(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    plan = plan_of(options, environment)
    directory = _directory(options.report_dir)
    terminal = Terminal(Patient(soft_wrap=True), plan.target.secrets)
    try:
        finished = judge(plan, terminal)
    finally:
        terminal.close()
    if directory is not None:
        write_reports(finished, directory)
    with suppress(OSError):  # nobody listens
        terminal.summarise(finished)
        if directory is not None:
            print(f"Reports are in {directory}/: report.html, report.json, junit.xml", flush=True)
    return finished.exit_code


def judge(plan: Plan, *listeners: Listener) -> RunFinished:
    """Carry a plan out.

    Raises:
        Usage: its document cannot be read.
    """
    try:
        return Run(plan, *listeners).judge()
    except Unreadable as error:
        raise Usage(str(error)) from None


def write_reports(finished: RunFinished, directory: Path) -> None:
    """Write every format."""
    from .reports import html, junit, record  # not before there is something to report

    for report in (record, junit, html):
        report.write(finished, directory)


def plan_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Plan:
    """The plan that the flags describe.

    Raises:
        Usage: they make no sense together.
    """
    return Plan(
        target_of(options, environment),
        options.document or PUBLISHED,
        options.seed if options.seed is not None else SystemRandom().randrange(10**6),
        options.max_time,
        options.strict,
        frozenset(options.only or ()),
        options.wait,
    )


def parser() -> argparse.ArgumentParser:
    """All that can be asked for."""
    top = _Parser(
        prog="arklow-contracts",
        description="Judge a deployment of Arklow by its published pages and behaviours.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check", help="judge a deployment", description="Judge a deployment of Arklow."
    )
    check.add_argument("--base-url", required=True, metavar="URL", help="where the control plane is")
    check.add_argument("--ingress-url", metavar="URL", help="where ingress is, if elsewhere")
    check.add_argument(
        "--api-key", required=True, metavar="KEY", help="a key, or env:NAME to read it from a variable"
    )
    check.add_argument("--org", required=True, metavar="ID", help="the organisation of that key")
    check.add_argument("--second-api-key", metavar="KEY", help="a key of another organisation, or env:NAME")
    check.add_argument("--second-org", metavar="ID", help="the other organisation")
    check.add_argument(
        "--max-time", type=_seconds, default=25.0, metavar="S", help="seconds the run may take (default 25)"
    )
    check.add_argument("--seed", type=_whole, metavar="N", help="repeat the requests of another run")
    check.add_argument(
        "--report-dir", type=Path, metavar="DIR", help="write report.html, report.json and junit.xml there"
    )
    check.add_argument("--strict", action="store_true", help="warnings count as violations")
    check.add_argument(
        "--only",
        nargs="+",
        action="extend",
        type=_rule,
        metavar="RULE",
        help="codes of the rules to listen to",
    )
    check.add_argument(
        "--wait",
        type=_waited,
        nargs="?",
        const=LONG,
        metavar="S",
        help="wait for leases to run out (default 75 s); without it only leases of a second are waited for",
    )
    check.add_argument(
        "--admin-url", metavar="URL", help="the admin plane of a mock: its clock is moved instead of waiting"
    )
    check.add_argument(
        "--admin-token", metavar="TOKEN", help="its token, or env:NAME (default env:ARKLOW_ADMIN_TOKEN)"
    )
    check.add_argument(
        "--document", type=Path, metavar="FILE", help="another OpenAPI 3.1 document to judge by"
    )
    about = commands.add_parser(
        "explain", help="say what is behind a rule", description="Say what is behind a rule, and its sources."
    )
    about.add_argument("rules", nargs="+", type=_rule, metavar="RULE", help="code such as PAGE-9")
    return top


def target_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Target:
    """The target that the flags describe.

    Raises:
        Usage: they do not describe one.
    """
    base = _url("--base-url", options.base_url)
    if (options.second_api_key is None) != (options.second_org is None):
        raise Usage("--second-api-key and --second-org belong together: give both or neither")
    first = _credential("--api-key", options.api_key, options.org, "ARKLOW_API_KEY", environment)
    second = None
    if options.second_api_key is not None:
        name = "ARKLOW_SECOND_API_KEY"
        second = _credential(
            "--second-api-key", options.second_api_key, options.second_org, name, environment
        )
        if second.key == first.key or second.org == first.org:
            raise Usage("the second key and organisation must differ from the first")
    ingress = _url("--ingress-url", options.ingress_url) if options.ingress_url else base
    return Target(base, ingress, first, second, _admin(options, environment))


def _admin(options: argparse.Namespace, environment: Mapping[str, str]) -> Admin | None:
    if options.admin_url is None:
        if options.admin_token is not None:
            raise Usage("--admin-token is of no use without --admin-url")
        return None
    given = options.admin_token or "env:ARKLOW_ADMIN_TOKEN"
    token = environment.get(given[4:], "") if given.startswith("env:") else given
    if not token:
        raise Usage("--admin-url needs the token that the mock printed: --admin-token, or ARKLOW_ADMIN_TOKEN")
    return Admin(_url("--admin-url", options.admin_url), token)


def _credential(flag: str, given: str, org: str, name: str, environment: Mapping[str, str]) -> Credential:
    key = given
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        key = environment.get(name, "")
        if not key:
            raise Usage(f"{flag} {given}: the environment has no variable {name}, or it is empty")
    if not (key.strip() == key and key and all("!" <= c <= "~" for c in key)):
        raise Usage(f"{flag}: a key is printable ASCII without blanks")
    if not (org.isascii() and org.isdigit()):
        raise Usage(f"the organisation {org!r} is not a number such as 42")
    return Credential(key, org, name)


def _url(flag: str, given: str) -> str:
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise Usage(f"{flag} {given.rpartition('@')[2]!r} is not a URL such as http://localhost:3123")
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def _directory(given: Path | None) -> Path | None:
    """The directory for reports, made and tried before the run rather than lost after it."""
    if given is None:
        return None
    try:
        given.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            pass
    except OSError as error:
        raise Usage(f"--report-dir {given}: {error.strerror}") from None
    return given


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 10**6:
        raise argparse.ArgumentTypeError("from 1 to 1000000 seconds")
    return seconds


def _waited(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("from 1 to 3600 seconds")
    return seconds


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a seed is 0 or more")
    return number


def _rule(text: str) -> str:
    if text.upper() not in RULES:
        raise argparse.ArgumentTypeError(f"there is no rule {text!r}; there are {', '.join(RULES)}")
    return text.upper()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} (see {self.prog} --help)")


__all__ = ["Usage", "judge", "main", "parser", "plan_of", "write_reports"]
