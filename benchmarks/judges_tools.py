"""The tools that `benchmarks.judges` compares: how each is set up and started, and how its report is read."""

from __future__ import annotations

import copy
import itertools
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.mutants import Choices
from tests.mutants.conforming_server import DEFAULT_CHOICES

ROOT: Final = Path(__file__).parent.parent
KEY: Final = "good-key-one"
OTHER_KEY: Final = "good-key-two"
DEFINITIONS: Final = "/v1/orgs/1/actions/definitions"
VARIANT: Final = "order.created"
DEFINITION: Final = {"variant": VARIANT, "version": 1, "alias": ["created"], "schema": {}}
WORK: Final = {"payload": {"total": 1}, "metadata": {"a": 1}, "tags": {"shop": "north"}, "version": 1}

Document = dict[str, Any]


class Signature(NamedTuple):
    """What repetitions of one accusation have in common."""

    operation: str
    code: str
    status: str
    place: str
    level: str = "violation"


@dataclass(frozen=True)
class Scene:
    """The set-up of one run: an empty folder, and the ids of accepted actions in their first attempt, if any."""

    folder: Path
    actions: tuple[str, ...]

    def write(self, name: str, text: str) -> None:
        """Write a file in the folder."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


class Unreadable(Exception):  # noqa: N818
    """The run left no report."""


@dataclass(frozen=True)
class Tool:
    """One tool with its settings."""

    name: str
    title: str
    cap: float
    """Seconds until the run is interrupted."""
    settings: str
    """As a list in Markdown."""
    command: tuple[str, ...]
    """With `{url}` and `{seed}`, and the usual names of programs."""
    programs: dict[str, str]
    """Usual name of a program → where it is on this machine."""
    version: Callable[[], str]
    prepare: Callable[[Scene], None]
    """Writes the files that the command needs."""
    read: Callable[[Path], frozenset[Signature]]
    """What the report in the folder accuses the server of; raises `Unreadable` where there is none."""
    choices: Choices = DEFAULT_CHOICES
    """The choices of every server that it meets: the conforming one and the mutants."""
    provisioned: bool = False
    """Whether a definition and three actions are made before it starts."""

    def words(self, url: str = "URL", seed: object = "SEED") -> list[str]:
        """The command line for one server, with the usual names of programs."""
        return [word.format(url=url, seed=seed) for word in self.command]

    def started(self, url: str, seed: int) -> list[str]:
        """The command line for one server, with the programs of this machine."""
        return [self.programs.get(word, word) for word in self.words(url, seed)]


# Documents


def published() -> Document:
    """Load the published document without `servers`, since operations name a production host there."""
    return without_servers(load("arklow.openapi.yaml"))


def overlaid() -> Document:
    """Load the overlaid document, with PUT's refusals and the links, cut to the three published operations."""
    document = without_servers(load("arklow.overlaid.openapi.yaml"))
    document["paths"] = {path: document["paths"][path] for path in published()["paths"]}
    return document


def load(name: str) -> Document:
    """Load a document from `spec/`."""
    document: Document = yaml.safe_load((ROOT / "spec" / name).read_text("utf-8"))
    return document


def without_servers(document: Document) -> Document:
    """Take all hosts out of a document, and return it."""
    del document["servers"]
    for operation in operations(document):
        operation.pop("servers", None)
    return document


def operations(document: Document) -> Iterator[Document]:
    """Every operation of a document."""
    for item in document["paths"].values():
        yield from (item[method] for method in ("get", "put", "post") if method in item)


def with_examples(document: Document, action: str) -> Document:
    """Add an example for the path's variant and for each body to a document, and return it."""
    put, ingress, modack = (document["paths"][path] for path in PATHS)
    for operation, body in (
        (put["put"], DEFINITION),
        (ingress["post"], WORK),
        (modack["post"], signal(action)),
    ):
        operation["requestBody"]["content"]["application/json"]["example"] = body
    ingress["post"]["parameters"][0]["example"] = VARIANT
    return document


PATHS: Final = ("/v1/orgs/{org_id}/actions/definitions", "/v1/ingress/{variant}", "/v1/modack")


def signal(action: str) -> Document:
    """The body of a modack."""
    return {"action_record_id": action, "attempt": 0, "mod_ack": 60}


def text_of(document: Document) -> str:
    """Write YAML without anchors, which not every tool reads."""
    return yaml.dump(json.loads(json.dumps(document)), sort_keys=False)


# Ours


def our_version() -> str:
    """Our version, and the last commit that changed the judge."""
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h", "--", "contracts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return f"{version('arklow-local')} at {commit}"


def our_findings(folder: Path) -> frozenset[Signature]:
    """Read the findings of `report.json`."""
    report = json.loads(only(folder, "report/report.json").read_text("utf-8"))
    return frozenset(
        Signature(finding["operation"], finding["rule"], "", "", level)
        for level in ("violation", "warning")
        for finding in report[level + "s"]
    )


def beside_python(program: str) -> dict[str, str]:
    """Name → path of a script of this environment."""
    return {program: str(Path(sys.executable).parent / program)}


def only(folder: Path, pattern: str) -> Path:
    """Return the one file that a pattern finds.

    Raises:
        Unreadable: there is none.
    """
    if (found := next(folder.glob(pattern), None)) is None:
        raise Unreadable(f"no {pattern}")
    return found


OURS: Final = Tool(
    name="ours",
    title="`arklow-contracts check`",
    cap=60,
    settings="""\
- The published document, which is part of the program.
- Both keys and both organisations; it makes the definitions that it needs.
- `--strict` changes the exit code alone, so one run serves both columns: by default violations count, with
  `--strict` warnings too.
""",
    command=(
        *("arklow-contracts", "check", "--base-url", "{url}", "--seed", "{seed}"),
        *("--api-key", "env:KEY", "--org", "1", "--second-api-key", "env:OTHER_KEY", "--second-org", "2"),
        *("--max-time", "20", "--strict", "--report-dir", "report"),
    ),
    programs=beside_python("arklow-contracts"),
    version=our_version,
    prepare=lambda _: None,
    read=our_findings,
)


# Schemathesis


def prepare_stock(scene: Scene) -> None:
    """Write the published document."""
    scene.write("arklow.yaml", text_of(published()))


def prepare_tuned(scene: Scene) -> None:
    """Write the overlaid document with examples, and a settings file."""
    scene.write("arklow.yaml", text_of(with_examples(overlaid(), scene.actions[0])))
    scene.write(
        "schemathesis.toml",
        f"""\
[dictionaries.actions]
values = {json.dumps(scene.actions)}

[parameters]
"path.org_id" = "1"
"path.variant" = "{VARIANT}"
"body.action_record_id" = {{ dictionary = "actions", probability = 0.8 }}
""",
    )


def schemathesis_findings(folder: Path) -> frozenset[Signature]:
    """Read the failed checks of all scenarios, and the errors beside them."""
    events = only(folder, "report/*.ndjson").read_text("utf-8", "replace").splitlines()
    failures = (one for line in events if "ScenarioFinished" in line for one in failures_of(line))
    return frozenset(itertools.chain(failures, errors_of(folder)))


def failures_of(line: str) -> Iterator[Signature]:
    """Read the failed checks of one finished scenario; a line that was cut off has none."""
    try:
        recorder = json.loads(line)["ScenarioFinished"]["recorder"]
    except ValueError:
        return
    for case, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] == "failure":
                failure = check["failure_info"]["failure"]
                exchange = recorder["interactions"].get(failure["case_id"] or case) or {}
                status = (exchange.get("response") or {}).get("status_code", "none")
                yield Signature(failure["operation"], failure["code"], str(status), place_of(failure))


def place_of(failure: dict[str, Any]) -> str:
    """Where in the response's schema a failure is."""
    found = re.search(r"^Schema at (\S+):$", failure["message"] or "", re.MULTILINE)
    return found[1] if found else ""


def errors_of(folder: Path) -> Iterator[Signature]:
    """Read the errors that are no failure of a check, such as a connection that broke."""
    for report in folder.glob("report/*.json"):
        for error in json.loads(report.read_text("utf-8"))["errors"]:
            yield Signature("", f"error: {error['title']}", "", "")


STOCK: Final = Tool(
    name="stock",
    title="Schemathesis, stock",
    cap=60,
    settings="""\
- The published document without `servers`.
- All phases and all checks that are on by default, 100 examples; the key as header.
- What it calls warnings is not counted.
""",
    command=(
        *("schemathesis", "run", "arklow.yaml", "--url", "{url}", "-H", f"x-arklow-auth: {KEY}"),
        *("--continue-on-failure", "--seed", "{seed}", "--report", "ndjson,json", "--report-dir", "report"),
    ),
    programs=beside_python("schemathesis"),
    version=lambda: version("schemathesis"),
    prepare=prepare_stock,
    read=schemathesis_findings,
)

STOCK_OPEN: Final = replace(
    STOCK,
    name="stock-open",
    title="Schemathesis, stock, where unknown variants are defined",
    settings="""\
- As above, but every server, the conforming one too, accepts work for a variant without a definition. The pages leave
  this open; where the work is refused, as in all other columns, stock Schemathesis never sees an ingress of 200.
""",
    choices=Choices(unknown_variant="create"),
)

TUNED: Final = replace(
    STOCK,
    name="tuned",
    title="Schemathesis, tuned",
    settings=f"""\
- The overlaid document without `servers`, cut to the three published operations: PUT's refusals are documented, and
  there are links from PUT to ingress and from ingress to modack.
- A definition and three actions are made before each run; an example for each body and for the path's variant
  names them.
- `schemathesis.toml`: `"path.org_id" = "1"`, `"path.variant" = "{VARIANT}"`, and a dictionary of the three action
  ids for `body.action_record_id`, drawn at 80 %.
- The document gives PUT's `version` no minimum, and the conforming server refuses negative ones, as it may (C16): one
  line more in the document would spare the tool that accusation.
- All else as in stock; no checks of our own, which Schemathesis takes in Python.
""",
    command=(*STOCK.command, "--max-response-time", "1", "--request-timeout", "4"),
    prepare=prepare_tuned,
    provisioned=True,
)


# Specmatic

SCENARIO: Final = re.compile(
    r"([+-]ve) +Scenario: ([A-Z]+ \S+) -> (\S+)(?: with (?:a|the) request (.*?))?(?: \| EX:.*)?$"
)
REFUSALS: Final = ("400", "401", "403", "409", "415")


def prepare_specmatic(scene: Scene) -> None:
    """Write the published document and a settings file."""
    scene.write("arklow.yaml", text_of(published()))
    configure(scene)


def prepare_tuned_specmatic(scene: Scene) -> None:
    """Write a document with PUT's refusals, a settings file, and examples."""
    scene.write("arklow.yaml", text_of(spelled_out(overlaid())))
    configure(scene)
    for name, example in examples(scene.actions[0]):
        scene.write(f"examples/{name}.json", json.dumps(example))


def configure(scene: Scene) -> None:
    """Write `specmatic.yaml`."""
    settings = {
        "version": 2,
        "contracts": [{"provides": ["./arklow.yaml"]}],
        "test": {"resiliencyTests": {"enable": "all"}},
    }
    scene.write("specmatic.yaml", text_of(settings))


def spelled_out(document: Document) -> Document:
    """Take links and ranges of statuses out of a document, and return it."""
    for operation in operations(document):
        answers = operation["responses"]
        for answer in answers.values():
            answer.pop("links", None)
        if "4XX" in answers:
            refused = answers.pop("4XX")
            answers |= {status: copy.deepcopy(refused) for status in REFUSALS} | {"500": answers.pop("5XX")}
    return document


def examples(action: str) -> Iterator[tuple[str, Document]]:
    """Name and content of an example of each operation, as Specmatic writes it."""
    defined = {"id": "1", "org_id": "1", "deleted_at": None, "destinations": []} | DEFINITION
    accepted = {"a_id": action, "a_def_id": "1", "queue_s": "queued", "a_va": VARIANT, "a_ve": "1"}
    for name, method, path, body, answer in (
        ("put", "PUT", DEFINITIONS, DEFINITION, {"data": defined, "errors": None}),
        ("ingress", "POST", f"/v1/ingress/{VARIANT}", WORK, {"data": accepted}),
        ("modack", "POST", "/v1/modack", signal(action), {"data": {"status": "ok"}}),
    ):
        headers = {"Content-Type": "application/json"}
        sent = {"method": method, "path": path, "headers": {"x-arklow-auth": KEY} | headers, "body": body}
        yield (
            name,
            {"http-request": sent, "http-response": {"status": 200, "headers": headers, "body": answer}},
        )


def specmatic_findings(folder: Path) -> frozenset[Signature]:
    """Read the failed tests."""
    report = ElementTree.parse(only(folder, "report/*.xml"))
    return frozenset(
        failed(case.get("name", ""), failure.get("message") or "")
        for case in report.iter("testcase")
        for failure in [*case.findall("failure"), *case.findall("error")]
    )


def failed(name: str, message: str) -> Signature:
    """Make the signature of a failed test; what was done to the request is a part of the place."""
    scenario = SCENARIO.search(name)
    sign, operation, expected, request = scenario.groups() if scenario else ("", "", "", name)
    rules = ",".join(sorted(set(re.findall(r"\bR\d{4}\b", message)))) or "other"
    statuses = re.findall(r"(?:response contained status|Received) (\d+)", message)
    places = ",".join(sorted(set(re.findall(r">> (\S+)", message))))
    return Signature(
        f"{sign} {operation}".strip(),
        f"{expected} {rules}".strip(),
        ",".join(sorted(set(statuses))),
        f"{places}; {request or 'as it is'}",
    )


def specmatic_jar(prefix: Path | None) -> Path:
    """Find the jar of the npm package: under the folder that it was installed to, or behind the command on PATH.

    Raises:
        SystemExit: it is in neither place.
    """
    command = shutil.which("specmatic")
    places = [prefix / "node_modules" / "specmatic"] if prefix else []
    places += list(Path(command).resolve().parents) if command else []
    for place in places:
        if (jar := place / "specmatic.jar").is_file():
            return jar.resolve()
    raise SystemExit("no specmatic.jar: npm install --prefix DIR specmatic, then --specmatic DIR")


SPECMATIC: Final = Tool(
    name="specmatic",
    title="Specmatic",
    cap=90,
    settings="""\
- The published document without `servers`.
- Resiliency tests `all` in `specmatic.yaml`, which its maker leaves off by default; the key for both security schemes
  from the environment.
- The jar of the npm package, started without Node and with Java's quick compiler and plain collector: on two cores
  that halves its time.
- It takes no seed.
""",
    command=(
        *("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", "specmatic.jar"),
        *("test", "--testBaseURL={url}"),
        *("--junitReportDir=report", "arklow.yaml"),
    ),
    programs={},
    version=str,
    prepare=prepare_specmatic,
    read=specmatic_findings,
)

TUNED_SPECMATIC: Final = replace(
    SPECMATIC,
    name="specmatic-tuned",
    title="Specmatic, tuned",
    settings=f"""\
- The overlaid document without `servers` and links, cut to the three published operations; PUT's refusals, a range
  `4XX` there, are written out as {", ".join(REFUSALS)}, since the range stops the tool.
- A definition and three actions are made before each run; an example of each operation works on them.
- All else as above.
""",
    command=(*SPECMATIC.command[:-1], "--examples=examples", SPECMATIC.command[-1]),
    prepare=prepare_tuned_specmatic,
    provisioned=True,
)


def located(tool: Tool, prefix: Path | None) -> Tool:
    """Return the tool with its programs found on this machine."""
    if "specmatic.jar" not in tool.command:
        return tool
    jar = specmatic_jar(prefix)
    package = json.loads((jar.parent / "package.json").read_text("utf-8"))
    return replace(tool, programs={"specmatic.jar": str(jar)}, version=lambda: str(package["version"]))


TOOLS: Final = {tool.name: tool for tool in (OURS, STOCK, TUNED, SPECMATIC, TUNED_SPECMATIC, STOCK_OPEN)}
ENVIRONMENT: Final = {"KEY": KEY, "OTHER_KEY": OTHER_KEY, "apiKey": KEY, "authorization": KEY}
"""Environment variables from which the tools read their keys."""
