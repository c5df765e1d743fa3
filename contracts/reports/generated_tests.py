"""`tests/test_….py`: a finding as a test of its own, which fails while the deployment is at fault, and then passes."""

from __future__ import annotations

import ast
import base64
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..core.curl import SHORTEST_PAUSE
from ..core.events import RunFinished
from ..core.rules import RULES, Preparation
from . import generated_test_runtime
from .generated_assertions import asserted
from .json_report import name_of, record, replaced
from .summary import Record

_PLAIN: Final = Path(generated_test_runtime.__file__).read_text("utf-8")
_SETTLED = 2.0
"""Seconds after which what was made is known everywhere, so that a refusal counts."""
_FAIL = "    pytest.fail(wrong, pytrace=False)"
_BEFORE = "contract.00000000.before"
_CROWD = 16
"""Clients of a request that fails when many send it."""


def write(run: RunFinished, directory: Path) -> None:
    """Write a test for each finding below `tests/`, and take away those of earlier runs."""
    data = record(run)
    folder = directory / "tests"
    for old in folder.glob("test_*.py"):
        if re.fullmatch("test_[a-z]+_[0-9]+_[0-9a-f]{6}", old.stem):
            old.unlink()
    if not data["run"]:
        return  # the requests were somebody else's
    found = [*data["violations"], *data["warnings"]]
    for one in found:
        folder.mkdir(exist_ok=True)
        replaced(folder / f"{name_of(one['id'])}.py", test_of(one, data))


def test_of(one: Record, run: Record) -> str:
    """The file for one finding of a report: it needs pytest, the keys' variables, and nothing else."""
    together, assertion = one["together"], RULES[one["rule"]].assertion
    requests = [*_before(one, run, together), *_requests(one, together)]
    words = list(_words(requests, [key["name"] for key in run["keys"]], everyone=assertion.needs_keys))
    told = [_answer(each) for each in one["script"]]
    story = generated_test_runtime.story(told, together=together) if assertion.compares_answers else None
    times = assertion.repeats or one["times"]
    body = _body_of(asserted(one, together), together, times, again_and_again=together or story is not None)
    parts = [
        _literal_doc(_head(one, run)),
        "",
        f"BASE_URL = os.environ.get('ARKLOW_BASE_URL', {run['target']!r}).rstrip('/')",
        "INGRESS_URL = os.environ.get('ARKLOW_INGRESS_URL', "
        + ("BASE_URL" if run["ingress"] == run["target"] else repr(run["ingress"]))
        + ").rstrip('/')",
        *_reached(run["way"]),
        "",
        "WORDS = {",
        *(f"    {word!r}: {made}," for word, made in words),
        "}",
        '"""What stands for a key → the key."""',
        "",
        "REQUESTS = [",
        *(textwrap.indent(_shown(each), "    ") for each in requests),
        "]",
        "",
        *([f"WAS = {story!r}", ""] if story is not None else []),
        "",
        f"def {name_of(one['id'])}() -> None:",
        textwrap.indent(_literal_doc(_ascii(f"{one['sentence']}.")), "    "),
        textwrap.indent(body, "    "),
        "",
        "",
        "# What follows is the same in every such test, as far as it is needed.",
    ]
    text = "\n".join(parts)
    needed, imports = _needed(text)
    doc, rest = text.split('"""\n', 1)
    return "\n".join([f'{doc}"""', "", *imports, rest, "\n\n\n".join(["", *needed]).lstrip("\n")]) + "\n"


def _reached(way: Record) -> Iterator[str]:
    """Constants that say how the deployment is reached; another one may be reached in another way."""
    headers = {one["name"]: one["variable"] for one in way["headers"]}
    yield f"HEADERS = {headers!r}"
    for name in ("CA", "CLIENT_CERTIFICATE", "CLIENT_KEY", "PROXY"):
        yield f"{name} = os.environ.get('ARKLOW_{name}', {way[name.lower()] or ''!r})"


def _body_of(said: str, together: bool, times: int, *, again_and_again: bool) -> str:
    """The lines of the test itself; what hangs on chance is tried for a while."""
    more = ", together=True" if together else f", times={times}" if times > 1 else ""
    if not again_and_again:
        lines = [f"answers = play(REQUESTS, WORDS{more})", f"if wrong := {said}:", _FAIL]
        return "\n".join(lines)
    lines = [
        "answers: list[Answer] = []",
        f"until = time.monotonic() + {3 if together else 0.5}",
        "while time.monotonic() < until:",
        f"    answers += play(REQUESTS, WORDS{more})",
        f"    if wrong := {said}:",
        f"    {_FAIL}",
    ]
    return "\n".join(lines)


def _head(one: Record, run: Record) -> str:
    variables = [key["name"] for key in run["keys"]] + [one["variable"] for one in run["way"]["headers"]]
    keys = " ".join(f"{name}=…" for name in dict.fromkeys(variables))
    asked = f", request id {one['request_id']}" if one.get("request_id") else ""
    return _ascii(
        f"{one['id']}: {one['sentence']}.\n\n"
        f"expected  {one['expected']}\nactual    {one['actual']}\nsource    {one.get('source', '')}\n"
        f"found     {one.get('at', '')} at {run['target']}, traceparent {one.get('traceparent', '')}{asked}\n\n"
        f"Fails while it is so, and passes when it is mended: {keys} pytest {name_of(one['id'])}.py"
    )


def _ascii(text: str) -> str:
    """A text that a docstring can hold as it is."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _literal_doc(text: str) -> str:
    """A docstring of that text."""
    plain = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return (
        '"""'
        + plain.replace("\\", "\\\\").replace('"""', "'''")
        + ('\n"""' if plain.endswith('"') else '"""')
    )


# The requests


def _requests(one: Record, together: bool) -> list[Record]:
    """What is sent, with what is made before it where the report leaves that out."""
    script, rule = one["script"], RULES[one["rule"]]
    compares = rule.assertion.compares_answers
    texts = [_text(each) for each in script]
    made = {number: at for at, each in enumerate(script) if (number := _made(each))}
    requests = []
    for at, each in enumerate(script):
        last = at + 1 == len(script)
        request: Record = {"method": each["method"], "path": each["path"]}
        request["headers"] = [tuple(header) for header in each["headers"]]
        request["body"] = None if each["body"] is None else _bytes(each["body"])
        request["was"] = each["status"]
        if each.get("chunks"):
            request["chunks"] = each["chunks"]
        pause = each.get("waited", 0) - script[max(0, at - 1)].get("waited", 0)
        unsure = at and each["status"] in (400, 404) and not rule.assertion.about_fresh and not together
        pause = max(pause, _SETTLED) if unsure and (last or compares) else pause
        if pause >= SHORTEST_PAUSE:
            request["wait"] = round(pause, 1)
        if last and rule.assertion.patient:
            request["patient"] = True  # only 409 says that it is over
        if 200 <= each["status"] < 300 and not together:
            request["patient"] = True  # what is so fresh may not be known everywhere
            if not last and not compares and not each["path"].endswith("/nack"):
                request["needed"] = True
        if _with_a_good_key(each) and not rule.concerns_keys:
            request["keyed"] = True
        if (number := _made(each)) and made[number] == at and any(number in text for text in texts[at + 1 :]):
            request["makes"] = number
        if together:
            request["after"] = [n for n, other in enumerate(script) if other["back"] < each["call"]]
        requests.append(request)
    if together and len(requests) == 1:
        requests *= _CROWD
    return requests


def _before(one: Record, run: Record, together: bool) -> Iterator[Record]:
    """What the report takes for granted: a world that is not empty, what others had defined, an action that was served."""
    script, owners = one["script"], {f"${key['name']}": key["organisation"] for key in run["keys"]}
    preparation = RULES[one["rule"]].assertion.preparation
    if not owners or preparation is Preparation.NOTHING:
        return
    key = next((value for name, value in script[0]["headers"] if value in owners), next(iter(owners)))
    plain = {"headers": [("x-arklow-auth", key), ("content-type", "application/json")], "was": 200}
    plain |= {"patient": True, "needed": True, "first": True}

    def defined(variant: str) -> Record:
        body = f'{{"variant": "{variant}", "schema": {{}}}}'.encode()
        return {"method": "PUT", "path": f"/v1/orgs/{owners[key]}/actions/definitions", "body": body} | plain

    def accepted(variant: str) -> Record:
        return {"method": "POST", "path": f"/v1/ingress/{variant}", "body": b'{"payload": {}}'} | plain

    if preparation is Preparation.WORLD:
        yield from (defined(_BEFORE), accepted(_BEFORE))
    if together:
        yield from map(defined, sorted(_in_use(script)))
    made = {_made(each) for each in script}
    asked = {_asked_for(each) for each in script if each["status"] in (200, 409)}  # so there was one
    for at, number in enumerate(sorted(asked - made - {""})):
        yield from (defined(f"{_BEFORE}{at}"), accepted(f"{_BEFORE}{at}") | {"makes": number})


def _in_use(script: list[Record]) -> set[str]:
    """Variants that were defined when the calls of a volley began."""
    return {
        found[0]
        for each in script
        if "/v1/ingress/" in each["path"] or '"version": 1' not in _text(each | {"body": each["answer"]})
        for found in [re.search(r"contract\.[0-9a-f]{8}\.[\w.]+", each["path"] + _text(each))]
        if found
    }


def _asked_for(each: Record) -> str:
    """The id that a signal has, in plain digits and without noughts before it."""
    found = re.search(r"action_record_id\W{1,5}((?:\d|\\u[0-9a-f]{4}){6,})", _text(each))
    text = re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), found[1]) if found else ""
    return "".join(str(int(c)) for c in text).lstrip("0") if text.isdecimal() else ""


def _made(each: Record) -> str:
    """The id of the action that an exchange made."""
    found = re.search(r'"a_id"\s*:\s*"?(\d+)', _text(each | {"body": each["answer"]}))
    return found[1] if found and 200 <= each["status"] < 300 else ""


def _text(each: Record) -> str:
    return "" if each["body"] is None else _bytes(each["body"]).decode("latin-1")


def _bytes(data: Record) -> bytes:
    return base64.b64decode(data["base64"]) if "base64" in data else str(data["text"]).encode()


def _with_a_good_key(each: Record) -> bool:
    named = [(name.lower(), value) for name, value in each["headers"] if name.lower() in _KEYED]
    good = len(named) == 1 and re.fullmatch(r"\$\w+", named[0][1]) is not None
    return good and (named[0][0] == "x-arklow-auth" or "/orgs/" not in each["path"])


_KEYED = ("x-arklow-auth", "authorization")


def _words(requests: Sequence[Record], names: Sequence[str], *, everyone: bool) -> Iterator[tuple[str, str]]:
    """Each expression of a key that the requests have → the Python that makes it."""
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
        if used or everyone:
            yield from ({f"${name}": key} | used).items()


def _shown(request: Record) -> str:
    """A request as Python, its body in lines that can be read."""
    members = [
        f'    "{name}": {_body(value) if name == "body" else repr(value)},' for name, value in request.items()
    ]
    return "\n".join(["{", *members, "},"])


def _body(content: bytes | None) -> str:
    """Bytes as Python; many of the same as a product."""
    if content is None or len(content) < 100:
        return repr(content)
    parts = [
        repr(run[0]) if run[1] is None else f"{run[1]!r} * {len(run[0])}"
        for run in re.finditer(rb"(.)\1{99,}|(?:(?!(.)\2{99}).){1,80}", content, re.DOTALL)
    ]
    glue = "\n        + " if any(" * " in part for part in parts) else "\n        "
    return "(\n        " + glue.join(parts) + "\n    )"


def _answer(each: Record) -> generated_test_runtime.Answer:
    """An exchange of the report as a test has it."""
    body, answer = _text(each).encode("latin-1"), _bytes(each["answer"])
    return generated_test_runtime.Answer(each["method"], each["path"], body, each["status"], [], answer)


# What a test needs of the plain module


def _needed(text: str) -> tuple[list[str], list[str]]:
    """The functions that a text needs, with all that these need, and the imports of them all."""
    tree = ast.parse(_PLAIN)
    lines = _PLAIN.splitlines()
    parts = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted, todo = set[str](), _names(ast.parse(text))
    while todo:
        name = todo.pop()
        if name in parts and name not in wanted:
            wanted.add(name)
            todo |= _names(parts[name])
    used = _names(ast.parse(text)).union(*(_names(parts[name]) for name in wanted))
    texts = []
    for name, node in parts.items():
        if name in wanted:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            texts.append("\n".join(lines[first - 1 : node.end_lineno]))
    imports = ["from __future__ import annotations", ""]
    for each in tree.body:
        if isinstance(each, ast.Import) and each.names[0].name.split(".")[0] in used:
            imports += [""] * (each.names[0].name == "pytest") + [ast.unparse(each)]
        elif isinstance(each, ast.ImportFrom) and each.module != "__future__":
            names = [alias.name for alias in each.names if alias.name in used]
            imports += [f"from {each.module} import {', '.join(names)}"] if names else []
    return texts, [*imports, ""]


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


__all__ = ["test_of", "write"]
