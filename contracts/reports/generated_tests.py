"""`tests/test_….py`: each finding as a test of its own, which fails while the deployment breaks the rule, and then passes."""

from __future__ import annotations

import ast
import base64
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..core import codings
from ..core.curl import SHORTEST_PAUSE
from ..core.digits import numbers_in
from ..core.events import RunFinished
from ..core.rules import RULES
from ..core.rules.assertions import NOT_SERVED
from . import generated_test_runtime
from .generated_assertions import asserted
from .json_report import name_of_test, report_data, write_atomically
from .printable import printable_data
from .summary import JsonObject

_SOURCES: Final = tuple(
    Path(str(module.__file__)).read_text("utf-8") for module in (codings, generated_test_runtime)
)
"""Modules from which a test has what it needs: how the judge decodes an answer, and the runtime."""
_ASSIGNED: Final = (ast.Assign, ast.AnnAssign)
_SETTLED: Final = 2.0
"""Seconds after which every instance of a deployment knows what was created, so that a refusal counts."""
_REPEATED_SECONDS: Final = 0.5
"""Seconds for which a comparison of answers is tried: some breaches show now and then."""
_CONCURRENT_SECONDS: Final = 3
"""Seconds for which concurrent calls are repeated: a race is a matter of luck."""
_COMMAND: Final = re.compile(r"##(?=\w*\[)")
"""Begins a command of a build server, within a literal: its second character is written as an escape."""
_FAIL: Final = "    pytest.fail(wrong, pytrace=False)"
_BEFORE: Final = "contract.00000000.before"
"""Variant of what a test creates before its requests; the runtime replaces the first two parts by a fresh name."""
_CLIENTS: Final = 16
"""Clients that send one request at the same moment, where it fails under load."""


def write(run: RunFinished, directory: Path) -> None:
    """Write a test for each finding below `tests/`, and delete those of earlier runs."""
    data = printable_data(report_data(run))
    folder = directory / "tests"
    for old in folder.glob("test_*.py"):
        if re.fullmatch("test_[a-z]+_[0-9]+_[0-9a-f]{6,8}", old.stem):
            old.unlink()
    if not data["run"]:
        return  # another client sent the requests: they may not be sent again
    for finding in [*data["violations"], *data["warnings"]]:
        folder.mkdir(exist_ok=True)
        write_atomically(folder / f"{name_of_test(finding['id'])}.py", test_of(finding, data))


def test_of(finding: JsonObject, run: JsonObject) -> str:
    """Return the test of a finding of a report: a file that needs pytest and the variables of the keys alone."""
    together, assertion = finding["together"], RULES[finding["rule"]].assertion
    requests = [*_before(finding, run), *_requests(finding, together)]
    key_names = [key["name"] for key in run["keys"]]
    words = list(_words(requests, key_names, every_key=assertion.needs_keys))
    story = None
    if assertion.compares_answers:
        answers = [_answer(each) for each in finding["script"][-together:]]
        story = generated_test_runtime.story(answers, together=bool(together))
    body = _body_of(
        asserted(finding, bool(together)),
        bool(together),
        assertion.repeats or 1,
        finding["times"],
        repeated=bool(together) or story is not None,
    )
    parts = [
        _docstring(_head(finding, run)),
        "",
        *_constants(run),
        "",
        "WORDS = {",
        *(f"    {word!r}: {expression}," for word, expression in words),
        "}",
        '"""Word that stands for a key → the key."""',
        "",
        "REQUESTS = [",
        *(textwrap.indent(_request_source(each), "    ") for each in requests),
        "]",
        "",
        *([f"WAS = {story!r}", ""] if story is not None else []),
        "",
        f"def {name_of_test(finding['id'])}() -> None:",
        textwrap.indent(_docstring(_ascii(f"{finding['sentence']}.")), "    "),
        textwrap.indent(body, "    "),
        "",
        "",
        "# What follows is the same in every such test, as far as it is needed.",
    ]
    return _with_runtime(_COMMAND.sub(r"#\\x23", "\n".join(parts)))


def _constants(run: JsonObject) -> Iterator[str]:
    """Yield the lines that say where the deployment is and how it is reached; the environment may say otherwise."""
    yield f"BASE_URL = os.environ.get('ARKLOW_BASE_URL', {run['target']!r}).rstrip('/')"
    ingress = "BASE_URL" if run["ingress"] == run["target"] else repr(run["ingress"])
    yield f"INGRESS_URL = os.environ.get('ARKLOW_INGRESS_URL', {ingress}).rstrip('/')"
    connection = run["way"]
    headers = {one["name"]: one["variable"] for one in connection["headers"]}
    yield f"HEADERS = {headers!r}"
    for name in ("CA", "CLIENT_CERTIFICATE", "CLIENT_KEY", "PROXY"):
        yield f"{name} = os.environ.get('ARKLOW_{name}', {connection[name.lower()] or ''!r})"
    login = connection["proxy_login"]
    yield f"PROXY_LOGIN: tuple[str, ...] = {(login['user'], login['variable']) if login else ()!r}"
    resolved = {f"{one['host']}:{one['port']}": one["address"] for one in connection["resolve"]}
    yield f"RESOLVE: dict[str, str] = {resolved!r}"


def _body_of(expression: str, together: bool, times: int, rounds: int, *, repeated: bool) -> str:
    """Return the lines of the test itself.

    Args:
        expression: a sentence while the rule is broken.
        together: the last requests are sent at the same moment.
        times: how often the last request is sent.
        rounds: how often all requests are sent, as the breach shows now and then.
        repeated: all requests are sent for a while, as the breach is a matter of luck.
    """
    more = ", together=True" if together else f", times={times}" if times > 1 else ""
    if rounds > 1:
        lines = [
            "fresh = fresh_prefix()",
            f"for _ in range({rounds}):",
            "    answers = play(REQUESTS, WORDS, fresh=fresh)",
            f"    if wrong := {expression}:",
            f"    {_FAIL}",
        ]
        return "\n".join(lines)
    if not repeated:
        lines = [f"answers = play(REQUESTS, WORDS{more})", f"if wrong := {expression}:", _FAIL]
        return "\n".join(lines)
    lines = [
        "answers: list[Answer] = []",
        f"until = time.monotonic() + {_CONCURRENT_SECONDS if together else _REPEATED_SECONDS}",
        "while time.monotonic() < until:",
        f"    answers += play(REQUESTS, WORDS{more})",
        f"    if wrong := {expression}:",
        f"    {_FAIL}",
    ]
    return "\n".join(lines)


def _head(finding: JsonObject, run: JsonObject) -> str:
    variables = [key["name"] for key in run["keys"]] + [one["variable"] for one in run["way"]["headers"]]
    keys = " ".join(f"{name}=…" for name in dict.fromkeys(variables))
    request_id = f", request id {finding['request_id']}" if finding.get("request_id") else ""
    return _ascii(
        f"{finding['id']}: {finding['sentence']}.\n\n"
        f"expected  {finding['expected']}\nactual    {finding['actual']}\nsource    {finding.get('source', '')}\n"
        f"found     {finding.get('at', '')} at {run['target']}, traceparent {finding.get('traceparent', '')}{request_id}\n\n"
        f"Fails while the rule is broken, and passes afterwards: {keys} pytest {name_of_test(finding['id'])}.py"
    )


def _ascii(text: str) -> str:
    """Return a text without lone surrogates and NUL, which no source file can hold."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _docstring(text: str) -> str:
    """Return the source of a docstring with this text."""
    printable = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    escaped = printable.replace("\\", "\\\\").replace('"""', "'''")
    return '"""' + escaped + ('\n"""' if printable.endswith('"') else '"""')


# The requests


def _requests(finding: JsonObject, together: int) -> list[JsonObject]:
    """Return the requests of a finding, each marked with what the runtime has to do about it.

    The last `together` of them are sent at the same moment.
    """
    script = finding["script"]
    first = len(script) - together if together else 0
    named = [set(numbers_in(_text(each).encode("latin-1"))) for each in script]
    created_at = {number: at for at, each in enumerate(script) if (number := _created(each))}
    requests = []
    for at, each in enumerate(script):
        concurrent = bool(together) and at >= first
        request = _request(finding, at, concurrent)
        number = _created(each)
        if number and created_at[number] == at and any(number in one for one in named[at + 1 :]):
            request["makes"] = number
        if concurrent:
            volley = enumerate(script[first:])
            request["after"] = [number for number, other in volley if other["back"] < each["call"]]
        elif together:
            request["first"] = True
        requests.append(request)
    return requests + requests[-1:] * (_CLIENTS - 1 if together == 1 else 0)


def _request(finding: JsonObject, at: int, together: bool) -> JsonObject:
    """Return the request at a position of a finding's script, with its pause and what must come of it."""
    script, rule = finding["script"], RULES[finding["rule"]]
    each, last = script[at], at + 1 == len(script)
    compares = rule.assertion.compares_answers
    request: JsonObject = {"method": each["method"], "path": each["path"]}
    request["headers"] = [tuple(header) for header in each["headers"]]
    request["body"] = None if each["body"] is None else _bytes(each["body"])
    request["was"] = each["status"]
    if each.get("chunks"):
        request["chunks"] = each["chunks"]
    pause = each.get("waited", 0) - script[max(0, at - 1)].get("waited", 0)
    # a refusal of what is fresh proves nothing until every instance knows it
    unsure = at and each["status"] in (400, 404) and not rule.assertion.about_fresh and not together
    unsure = unsure and finding["times"] == 1  # each round would wait
    pause = max(pause, _SETTLED) if unsure and (last or compares) else pause
    if pause >= SHORTEST_PAUSE:
        request["wait"] = round(pause, 1)
    if last and rule.assertion.patient:
        request["patient"] = True  # only 409 says that the attempt is over
    if 200 <= each["status"] < 300 and not together:
        request["patient"] = True  # not every instance may know what is so fresh
        if not last and _begins_an_attempt(script, at) and rule.assertion is NOT_SERVED:
            request["kept_by"] = 409  # this attempt has not begun: the one before it goes on, as it has to
        elif not last and not compares and not each["path"].endswith("/nack"):
            request["needed"] = True
    if _has_a_good_key(each) and not rule.concerns_keys:
        request["keyed"] = True
    return request


def _begins_an_attempt(script: Sequence[JsonObject], at: int) -> bool:
    """Whether a signal of a script is for a later attempt than the first one, although nothing was waited for before it."""
    attempt = re.search(r'"attempt"\s*:\s*(\d+)', _text(script[at]))
    waited = script[at].get("waited", 0) - script[0].get("waited", 0)
    return script[at]["method"] == "POST" and attempt is not None and attempt[1] != "0" and not waited


def _before(finding: JsonObject, run: JsonObject) -> Iterator[JsonObject]:
    """Yield requests that create a world which is not empty, where a rule is about what follows others."""
    script, owners = finding["script"], {f"${key['name']}": key["organisation"] for key in run["keys"]}
    if not owners or not RULES[finding["rule"]].assertion.needs_others:
        return
    key = next((value for name, value in script[0]["headers"] if value in owners), next(iter(owners)))
    common = {"headers": [("x-arklow-auth", key), ("content-type", "application/json")], "was": 200}
    common |= {"patient": True, "needed": True, "first": True}
    body = f'{{"variant": "{_BEFORE}", "schema": {{}}}}'.encode()
    yield {"method": "PUT", "path": f"/v1/orgs/{owners[key]}/actions/definitions", "body": body} | common
    yield {"method": "POST", "path": f"/v1/ingress/{_BEFORE}", "body": b'{"payload": {}}'} | common


def _created(each: JsonObject) -> str:
    """Return the id of the action that an exchange created; empty where it created none."""
    found = re.search(r'"a_id"\s*:\s*"?(\d+)', _text(each | {"body": each["answer"]}))
    return found[1] if found and 200 <= each["status"] < 300 else ""


def _text(each: JsonObject) -> str:
    return "" if each["body"] is None else _bytes(each["body"]).decode("latin-1")


def _bytes(data: JsonObject) -> bytes:
    return base64.b64decode(data["base64"]) if "base64" in data else str(data["text"]).encode()


def _has_a_good_key(each: JsonObject) -> bool:
    named = [(name.lower(), value) for name, value in each["headers"] if name.lower() in _KEYED]
    good = len(named) == 1 and re.fullmatch(r"\$\w+", named[0][1]) is not None
    return good and (named[0][0] == "x-arklow-auth" or "/orgs/" not in each["path"])


_KEYED = ("x-arklow-auth", "authorization")


def _words(
    requests: Sequence[JsonObject], names: Sequence[str], *, every_key: bool
) -> Iterator[tuple[str, str]]:
    """Yield each shell expression of a key that the requests have, with the Python for it; all keys if `every_key`."""
    text = repr(requests).replace("\\\\", "\\")
    for name in names:
        key = f'os.environ.get("{name}", "")'
        code = f"base64.b64encode({key}.encode()).decode()"
        forms = {
            f"${name}": key,
            f'$(printf %s "${name}" | od -An -tx1 | tr " " % | tr -d "\\n")': f"quote({key}, safe='')",
            f'$(printf %s "${name}" | base64 -w0)': code,
            f'$(printf %s "${name}" | base64 -w0 | tr -d =)': f"{code}.rstrip('=')",
            f"${{{name}%?}}": f"{key}[:-1]",
            **{f"${{{name}}}{end}": f'{key} + "{end}"' for end in (".", "0", "-not")},
            f'$(printf %s "${name}" | tr a-z A-Z)': f"{key}.upper()",
            f'$(printf %s "${name}" | tr a-zA-Z A-Za-z)': f"{key}.swapcase()",
        }
        for half in re.findall(rf'\$\(printf %\.(\d+)s "\${name}"\)', text):
            forms[f'$(printf %.{half}s "${name}")'] = f"{key}[:{half}]"
        used = {word: made for word, made in forms.items() if word in text}
        if used or every_key:
            yield from ({f"${name}": key} | used).items()


def _request_source(request: JsonObject) -> str:
    """Return a request as Python."""
    members = [
        f'    "{name}": {_bytes_source(value) if name == "body" else repr(value)},'
        for name, value in request.items()
    ]
    return "\n".join(["{", *members, "},"])


def _bytes_source(content: bytes | None) -> str:
    """Return bytes as Python, in lines of 80, with a product for 100 or more equal ones."""
    if content is None or len(content) < 100:
        return repr(content)
    parts = [
        repr(run[0]) if run[1] is None else f"{run[1]!r} * {len(run[0])}"
        for run in re.finditer(rb"(.)\1{99,}|(?:(?!(.)\2{99}).){1,80}", content, re.DOTALL)
    ]
    glue = "\n        + " if any(" * " in part for part in parts) else "\n        "
    return "(\n        " + glue.join(parts) + "\n    )"


def _answer(each: JsonObject) -> generated_test_runtime.Answer:
    """Return an exchange of a report as the answer that the runtime would have."""
    body, answer = _text(each).encode("latin-1"), _bytes(each["answer"])
    return generated_test_runtime.Answer(each["method"], each["path"], body, each["status"], [], answer)


# What a test needs of the runtime


def _with_runtime(text: str) -> str:
    """Return a test with all of the runtime that it needs, and with the imports of both.

    What the runtime shares with the judge, such as the way to decode an answer, is copied as well.
    """
    named = {name: (source, node) for source in _SOURCES for name, node in _definitions(source).items()}
    todo = [*_names(ast.parse(text))]
    own = set(_assigned(ast.parse(text)))
    needed: set[str] = set()
    while todo:
        name = todo.pop()
        if name in named and name not in needed and name not in own:
            needed.add(name)
            todo += _names(named[name][1])
    kept = [one for name, one in named.items() if name in needed]
    used = _names(ast.parse(text)).union(*(_names(node) for _, node in kept))
    constants = dict.fromkeys(
        _source_of(source, node) for source, node in kept if isinstance(node, _ASSIGNED)
    )
    definitions = [_source_of(source, node) for source, node in kept if not isinstance(node, _ASSIGNED)]
    docstring, rest = text.split('"""\n', 1)
    body = "\n\n\n".join(["", *definitions]).lstrip("\n")
    imports = _imports([ast.parse(source) for source in _SOURCES], used)
    return "\n".join([f'{docstring}"""', "", *imports, *constants, rest, body]) + "\n"


def _definitions(source: str) -> dict[str, ast.stmt]:
    """Return name → what defines it at the top of a module: a function, a class, or the assignment of a constant."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, _ASSIGNED):
            found |= dict.fromkeys(_assigned(ast.Module([node], [])), node)
    return {name: node for name, node in found.items() if name != "__all__"}


def _assigned(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module assigns at its top."""
    for node in tree.body:
        if isinstance(node, _ASSIGNED):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def _source_of(source: str, node: ast.stmt) -> str:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def _imports(trees: Sequence[ast.Module], used: set[str]) -> list[str]:
    """Return the lines of the imports of modules that bind a used name, but for those of the judge itself."""
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for each in (node for tree in trees for node in tree.body):
        if isinstance(each, ast.Import) and each.names[0].name.split(".")[0] in used:
            whole.add(ast.unparse(each))
        elif (
            isinstance(each, ast.ImportFrom)
            and each.module not in (None, "__future__")
            and not each.level  # of the judge, whose definitions are copied
        ):
            names = {alias.name for alias in each.names if alias.name in used}
            if names:
                parts.setdefault(str(each.module), set()).update(names)
    ours = {one for one in whole if one == "import pytest"}
    from_lines = [
        f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(parts.items())
    ]
    others = [*sorted(whole - ours), *from_lines]
    return ["from __future__ import annotations", "", *others, *([""] if ours else []), *sorted(ours), ""]


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


__all__ = ["test_of", "write"]
