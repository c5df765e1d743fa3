"""The runtime of generated tests: sends the requests of a finding under fresh names, and says what is wrong with answers.

`generated_tests` copies the functions that a test needs into its file, so a function here uses only the standard
library, pytest and its neighbours. A function that says what is wrong returns a sentence, which is empty where nothing
is.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import pytest

from ..core.codings import Undecodable, decoded

MOST_BYTES = 8 << 20
"""Bytes of an answer that are read, after it is decoded."""

# Requests


@dataclass
class Answer:
    """What came back for one request, and what was sent with the fresh names."""

    method: str
    path: str
    sent: bytes
    status: int
    """0 when no answer came."""
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float = 0.0


def fresh_prefix() -> str:
    """Return what the names of one test begin with."""
    return f"contract.{secrets.token_hex(4)}."


def play(
    requests: list[dict[str, Any]],
    words: dict[str, str],
    *,
    together: bool = False,
    times: int = 1,
    fresh: str = "",
) -> list[Answer]:
    """Send requests under fresh names and return their answers.

    `together`: all but those marked `first` are sent at the same moment. `times`: the last one is sent so often. `fresh`:
    what the names begin with, where they are to be those of an earlier call.
    """
    if missing := [word[1:] for word, key in words.items() if not key and re.fullmatch(r"\$\w+", word)]:
        pytest.skip(f"not attempted: set {' and '.join(missing)} to a key of the deployment")
    if unset := [one for one in (*HEADERS.values(), *PROXY_LOGIN[1:]) if one not in os.environ]:
        pytest.skip(
            f"not attempted: set {' and '.join(unset)}, empty where the deployment needs no such header"
        )
    fresh, ids, answers = fresh or fresh_prefix(), dict[str, str](), list[Answer]()
    volley = [one for one in requests if together and not one.get("first")]
    for one in [one for one in requests if one not in volley] if together else requests:
        answers.append(answer_to(one, words, fresh, ids, is_first=not answers))
        if answers[-1].status == one.get("kept_by"):
            return answers
        made = re.search(rb'"a_id"\s*:\s*"?([^",\s}]+)', answers[-1].body)
        if made and "makes" in one:
            ids[one["makes"]] = made[1].decode()
    gate = threading.Barrier(sum(not one["after"] for one in volley) or 1)
    answers += call_together(
        [
            (partial(send, one, words, fresh, ids, None if one["after"] else gate), one["after"])
            for one in volley
        ]
    )
    return answers + [send(requests[-1], words, fresh, ids) for _ in range(times - 1)]


def answer_to(
    one: dict[str, Any], words: dict[str, str], fresh: str, ids: dict[str, str], *, is_first: bool
) -> Answer:
    """Send one request after its pause; a patient one again while it is refused, for two seconds."""
    time.sleep(one.get("wait", 0))
    answer, until = send(one, words, fresh, ids), time.monotonic() + 2
    while one.get("patient") and not is_first and answer.status in (400, 404) and time.monotonic() < until:
        time.sleep(0.2)  # a fresh definition or action may take two seconds to be known
        answer = send(one, words, fresh, ids)
    request = f"{answer.method} {answer.path.partition('?')[0]}"
    changed = f"{request} is answered with {answer.status}, and was with {one['was']}"
    if one.get("keyed") and answer.status == 401 != one["was"]:
        pytest.fail(f"{changed}: is {' or '.join(words)} a good key?", pytrace=False)
    if one.get("needed") and not 200 <= answer.status < 300:
        pytest.fail(f"{changed}: what follows proves nothing", pytrace=False)
    return answer


def call_together(calls: list[tuple[Callable[[], Answer], list[int]]]) -> list[Answer]:
    """Return the answers to calls that are made at the same moment, but each after the calls at its numbers."""
    answers: dict[int, Answer] = {}
    threads: list[threading.Thread] = []

    def make(call: Callable[[], Answer], after: list[int], number: int) -> None:
        for other in after:
            threads[other].join()
        answers[number] = call()

    for number, (call, after) in enumerate(calls):
        threads.append(threading.Thread(target=make, args=(call, after, number)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in sorted(answers)]


def send(
    one: dict[str, Any],
    words: dict[str, str],
    fresh: str,
    ids: dict[str, str],
    gate: threading.Barrier | None = None,
) -> Answer:
    """Send one request, byte for byte, on a connection of its own; again where a limit or a gateway answers.

    With a gate it is sent when all callers that wait there are connected.
    """
    path = with_fresh_names(one["path"], words, fresh, ids)
    body = None if one["body"] is None else with_fresh_names(one["body"].decode("latin-1"), words, fresh, ids)
    url = urlsplit(BASE_URL if path.startswith("/v1/orgs/") else INGRESS_URL)
    headers = [(name, with_fresh_names(value, words, fresh, ids)) for name, value in one["headers"]]
    sent = request_bytes(url, one, path, headers, None if body is None else body.encode("latin-1"))
    began, request = time.monotonic(), f"{one['method']} {path.partition('?')[0]}"
    for _ in range(3):
        try:
            status, answer_headers, answer = exchange(url, one["method"], sent, gate)
        except (OSError, http.client.HTTPException) as error:
            if one["was"]:
                pytest.fail(f"{request}: no answer ({error!r}), which proves nothing", pytrace=False)
            status, answer_headers, answer = 0, [], b""
        gate = None
        if status not in (429, 502, 503, 504):
            break
        time.sleep(1)
    else:
        pytest.fail(f"{request}: {status} each time, which proves nothing", pytrace=False)
    return Answer(
        one["method"],
        path,
        b"" if body is None else body.encode("latin-1"),
        status,
        answer_headers,
        answer,
        time.monotonic() - began,
    )


def request_bytes(
    url: SplitResult, one: dict[str, Any], path: str, headers: list[tuple[str, str]], content: bytes | None
) -> bytes:
    """Return a request as it stands on the wire: its head, and its content whole or in chunks of `one["chunks"]` bytes."""
    server = f"http://{url.netloc}" if PROXY and url.scheme == "http" else ""
    head = [f"{one['method']} {server}{url.path}{path} HTTP/1.1", f"Host: {url.netloc}"]
    named = {name.lower() for name, _ in headers}
    own = [("User-Agent", "arklow-contracts"), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
    own.append(("Connection", "close"))
    if server and PROXY_LOGIN:
        own.append(("Proxy-Authorization", proxy_authorization()))
    own.append(("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"))
    if one.get("chunks"):
        content, pieces = b"", content or b""
        for size in [*one["chunks"], len(pieces)]:
            piece, pieces = pieces[:size], pieces[size:]
            content += b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        content += b"0\r\n\r\n"
        own.append(("Transfer-Encoding", "chunked"))
    elif (content is not None or one["method"] not in ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")) and (
        "transfer-encoding" not in named
    ):
        own.append(("Content-Length", str(len(content or b""))))
    head += [f"{name}: {value}" for name, value in headers]
    head += [f"{name}: {os.environ[word]}" for name, word in HEADERS.items() if os.environ[word]]
    head += [f"{name}: {value}" for name, value in own if name.lower() not in named]
    text = "\r\n".join([*head, "", ""])
    try:
        return text.encode("latin-1") + (content or b"")
    except UnicodeEncodeError:
        return text.encode() + (content or b"")


def exchange(
    url: SplitResult, method: str, sent: bytes, gate: threading.Barrier | None
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send bytes and return a triple: status, headers and body of the answer; redirects are not followed."""
    connection = connection_to(url)
    try:
        connection.connect()
        if gate is not None and not gate.broken:
            with contextlib.suppress(threading.BrokenBarrierError):
                gate.wait(5)
        with contextlib.suppress(ConnectionError):  # there may be an answer to a body that was not read
            connection.sock.sendall(sent)
        answer = final_answer(connection.sock, method)
        content = answer.read()
        codings = ",".join(value for name, value in answer.getheaders() if name.lower() == "content-encoding")
        try:
            return answer.status, answer.getheaders(), decoded(content, codings, MOST_BYTES)
        except Undecodable as error:
            pytest.fail(f"{error}, which proves nothing", pytrace=False)
    finally:
        connection.close()


def final_answer(sock: Any, method: str) -> http.client.HTTPResponse:
    """Return the answer on a socket, its head read; interim answers before it are passed over (RFC 9110 §15.2)."""
    answer = http.client.HTTPResponse(sock, method=method)
    answer.begin()
    while 100 <= answer.status < 200 and answer.status != http.client.SWITCHING_PROTOCOLS:
        answer.headers = None  # type: ignore[assignment]  # else `begin` returns at once
        answer.begin()
    return answer


def connection_to(url: SplitResult) -> http.client.HTTPConnection:
    """Return a connection to the server of a URL, through PROXY if there is one; it is not connected yet."""
    connection = unresolved_connection_to(url)
    first = urlsplit(PROXY) if PROXY else url
    port = first.port or {"http": 80, "https": 443}[first.scheme]
    address = RESOLVE.get(f"{first.hostname}:{port}")
    if address is not None:
        connection._create_connection = lambda _, *more: socket.create_connection((address, port), *more)  # type: ignore[attr-defined]
    return connection


def unresolved_connection_to(url: SplitResult) -> http.client.HTTPConnection:
    """Return a connection that looks its host up, through PROXY if there is one."""
    first = urlsplit(PROXY) if PROXY else url
    host, port = first.hostname or "", first.port or {"http": 80, "https": 443}[first.scheme]
    if "https" not in (first.scheme, url.scheme):
        return http.client.HTTPConnection(host, port, timeout=10)
    if PROXY and first.scheme == url.scheme:
        pytest.skip(
            "not attempted: TLS inside of the TLS of a proxy takes more than the standard library has"
        )
    trusted = ssl.create_default_context(cafile=CA or os.environ.get("REQUESTS_CA_BUNDLE"))
    if CLIENT_CERTIFICATE and url.scheme == "https":
        trusted.load_cert_chain(CLIENT_CERTIFICATE, CLIENT_KEY or None)
    connection = http.client.HTTPSConnection(host, port, timeout=10, context=trusted)
    if PROXY and url.scheme == "https":
        login = {"Proxy-Authorization": proxy_authorization()} if PROXY_LOGIN else {}
        connection.set_tunnel(url.hostname or "", url.port or 443, headers=login)
    return connection


def proxy_authorization() -> str:
    """Return the header by which a proxy knows its user (RFC 7617)."""
    user, variable = PROXY_LOGIN
    return f"Basic {base64.b64encode(f'{user}:{os.environ[variable]}'.encode()).decode()}"


def with_fresh_names(text: str, words: dict[str, str], fresh: str, ids: dict[str, str]) -> str:
    """Return a text with the keys in place of `words`, and with the names and ids of this test in place of the finding's."""
    known = "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"
    text = re.sub(rf"(?:{known})(?![A-Za-z0-9_])", lambda found: words[found[0]], text)
    text = re.sub(r"contract[.-][0-9a-z-]+?[.-](?:r[0-9a-f]+\.)?", fresh, text)
    for old, new in ids.items():
        before = r"(?<![0-9a-f.])(0*)" if len(old) > 5 else r'(?<="action_record_id": ")(0*)'
        text = re.sub(rf"{before}{re.escape(old)}(?![0-9])", rf"\g<1>{new}", text)
        for zero in (0xFF10, 0x660, 0x6F0, 0x966):  # digits of other scripts
            one, other = ("".join(chr(ord(c) - ord("0") + zero) for c in number) for number in (old, new))
            text = text.replace(json.dumps(one)[1:-1], json.dumps(other)[1:-1])
            text = text.replace(one.encode().decode("latin-1"), other.encode().decode("latin-1"))
    return text


# What may be wrong with answers


def served(answer: Answer) -> str:
    """A request is served; 200 without data is how the control plane may refuse."""
    value = json_of(answer)
    empty = "/orgs/" in answer.path and isinstance(value, dict) and value.get("data", 0) is None
    return failure(answer, "a refusal") if 200 <= answer.status < 300 and not empty else ""


def refused(answer: Answer) -> str:
    """A request is refused."""
    value = json_of(answer)
    empty = "/orgs/" in answer.path and isinstance(value, dict) and value.get("data", 0) is None
    return failure(answer, "200") if not 200 <= answer.status < 300 or empty else ""


def has_status(answer: Answer, statuses: list[int], expected: str) -> str:
    """The status is one of these."""
    return failure(answer, expected) if answer.status in statuses else ""


def fails(answers: list[Answer]) -> str:
    """One of the answers is a server error."""
    return next((failure(one, "served, or refused with a 4xx") for one in answers if one.status >= 500), "")


def lacks(answer: Answer, status: int, header: str) -> str:
    """An answer of this status lacks a header."""
    named = {name.lower() for name, _ in answer.headers}
    return failure(answer, f"a header {header}") if answer.status == status and header not in named else ""


def not_allowed(answer: Answer, methods: list[str]) -> str:
    """OPTIONS is served, and its header Allow lacks one of the methods."""
    allow = header_of(answer, "allow")
    missing = set(methods) - {one.strip() for one in (allow or "").split(",")}
    served = 200 <= answer.status < 300 and allow is not None
    return failure(answer, f"Allow with {', '.join(methods)}, not {allow}") if served and missing else ""


def not_announced(answer: Answer, was: int) -> str:
    """The answer has not the media type of JSON, and its status is the one that it was in the report."""
    announced = header_of(answer, "content-type")
    media = (announced or "").partition(";")[0].strip().lower()
    return not_comparable(answer, was) or (
        failure(answer, f"content-type: application/json, not {announced}")
        if media != "application/json" and answer.status == was
        else ""
    )


def not_json(answer: Answer, was: int) -> str:
    """The body is not a JSON text in UTF-8 without a byte order mark and NaN."""
    if wrong := not_comparable(answer, was):
        return wrong

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not a JSON number")

    try:
        json.loads(answer.body.decode("utf-8"), parse_constant=constant)
    except ValueError as error:
        return failure(answer, f"a JSON text in UTF-8: {error}") if answer.status == was else ""
    return ""


def repeats_a_name(answer: Answer) -> str:
    """An object of the answer has a member name twice."""
    wrong = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            wrong.append(failure(answer, "each member name once"))
        return dict(pairs)

    json.loads(answer.body, object_pairs_hook=members)
    return wrong[0] if wrong else ""


def breaks(answer: Answer, was: int, place: str, expected: str) -> str:
    """The member at `place` breaks what the report expected of it, in an answer of status `was`."""
    if said := not_comparable(answer, was):
        return said
    value = json_of(answer)
    for step in place.split("/") if place else []:
        if isinstance(value, dict):
            if step not in value:
                wrong = answer.status == was and expected == "present"
                return failure(answer, f"{place} {expected}") if wrong else ""
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ""
    wrong = answer.status == was and not fits(value, expected)
    return failure(answer, f"{place or 'the body'} {expected}") if wrong else ""


def fits(value: Any, expected: str) -> bool:
    """Tell whether a value fits an expectation, in the words of a report; other words fit every value."""
    kinds: dict[str, Any] = {"string": str, "object": dict, "array": list, "boolean": bool}
    what, _, rest = expected.partition(" ")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match what:
        case "of" if rest.startswith("type "):
            named = rest.removeprefix("type ").split(" or ")
            whole = number and value == value // 1
            plain = any(isinstance(value, kinds[one]) for one in named if one in kinds)
            other = ("null" in named and value is None) or ("number" in named and number)
            return plain or other or ("integer" in named and whole)
        case "of" if rest.startswith("format "):
            return not isinstance(value, str) or has_format(value, rest.removeprefix("format "))
        case "of":
            least = re.match(r"at least (\d+) characters", rest)
            return not isinstance(value, str) or least is None or len(value) >= int(least[1])
        case "a":
            pattern = rest.removeprefix("string that matches ")
            return not isinstance(value, str) or re.search(pattern, value) is not None
        case "one":
            return json.dumps(value, ensure_ascii=False) in rest.removeprefix("of ").split(", ")
        case "without":
            return not (isinstance(value, dict) and value.keys() & set(re.findall("'(.*?)'", rest)))
        case "at":
            limit = float(rest.split()[1])
            return not number or (value >= limit if rest.startswith("least") else value <= limit)
        case _:
            return True


def has_format(text: str, name: str) -> bool:
    """Tell whether a text has the format of this name, roughly; every text has an unknown format."""
    if name == "date-time":
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
            return False
        try:
            datetime.fromisoformat(text[:19].replace("t", "T"))
        except ValueError:
            return False
        return True
    parts = urlsplit(text)
    return name not in ("uri", "url") or bool(
        parts.scheme and (parts.netloc or parts.path) and " " not in text
    )


def no_envelope(answer: Answer) -> str:
    """A refusal is no object with data and errors."""
    value = json_of(answer)
    wrong = 400 <= answer.status < 500 and not (
        isinstance(value, dict) and {"data", "errors"} <= value.keys()
    )
    return failure(answer, "an object with data and errors") if wrong else ""


def no_error(answer: Answer) -> str:
    """A refusal has an empty list of errors."""
    value = json_of(answer)
    wrong = answer.status >= 400 and isinstance(value, dict) and value.get("errors") == []
    return failure(answer, "at least one error") if wrong else ""


def shows_a_key(answers: list[Answer], words: dict[str, str]) -> str:
    """An answer has a key that its request had not, as it is or as JSON, URLs or Base64 encode it."""
    for answer in answers:
        text = " ".join([answer.body.decode("latin-1"), *(value for _, value in answer.headers)])
        asked = unquote(answer.path) + answer.sent.decode("latin-1")
        plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)), text).replace("\\/", "/")
        for word, key in words.items():
            if key not in asked and any(key in form for form in (text, plain, unquote(text))):
                return failure(answer, f"no key, and not {word}")
    return ""


def shows_a_trace(answer: Answer) -> str:
    """An error has a stack trace."""
    trace = (
        r"Traceback \(most recent call last\)|File \\?\"[^\"]{1,200}\", line \d+|goroutine \d+ \[|stack backtrace:"
        r"|\bat [\w.$<>/]{3,120}\([\w.-]{1,80}\.(?:java|kt|scala|js|mjs|ts|cs):\d+|[\w/.-]{1,120}\.(?:rb|php|go|rs):\d+:in"
    )
    found = answer.status >= 400 and re.search(trace, answer.body.decode("latin-1"))
    return failure(answer, "no stack trace") if found else ""


def slow(answer: Answer) -> str:
    """The answer took more than a second."""
    return (
        failure(answer, f"an answer within a second, not {answer.seconds:.1f}") if answer.seconds > 1 else ""
    )


def differs(answer: Answer, member: str, expected: Any) -> str:
    """A member of `data` has another value than the expected one."""
    value = data_of(answer).get(member)
    wrong = refused(answer) or value != expected or isinstance(value, bool) != isinstance(expected, bool)
    return failure(answer, f"{member}: {expected!r}") if wrong else ""


def repeats_an_id(answers: list[Answer]) -> str:
    """Two accepted actions have the same id."""
    ids = [data_of(one)["a_id"] for one in answers if one.status == 200 and "a_id" in data_of(one)]
    return f"{len(ids)} actions were accepted under {len(set(ids))} ids" if len(set(ids)) < len(ids) else ""


def not_as_put(answers: list[Answer], member: str) -> str:
    """A member of the answer to a PUT has another value than it was sent."""
    last, got = answers[-1], data_of(answers[-1]).get(member)
    if member == "org_id":
        sent: Any = unquote(last.path.split("/orgs/")[1].split("/")[0])
    else:
        sent = json.loads(last.sent).get(member)
    if member != "alias":
        return "" if equal(got, sent) else failure(last, f"{member}: {sent!r}, not {got!r}")
    mine = json.loads(last.sent)["variant"]
    puts = [one for one in answers if one.method == "PUT"]
    before = {name for one in puts[:-1] if variant_of(one) == mine for name in data_of(one).get("alias", [])}
    theirs = {
        name
        for one in puts[:-1]
        if variant_of(one) != mine
        for name in [variant_of(one), *data_of(one).get("alias", [])]
    }
    answered = set(got if isinstance(got, list) else [])
    wrong = not set(sent or []) - theirs - {mine} <= answered or not answered <= {
        *(sent or []),
        *before,
        mine,
    }
    return failure(last, f"alias: {sent!r}, not {got!r}") if wrong else ""


def equal(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same: 1 is 1.0, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def skips_versions(answers: list[Answer]) -> str:
    """An update raises the version by more than one."""
    last = answers[-1]
    before = [data_of(one).get("version") for one in answers[:-1] if variant_of(one) == variant_of(last)]
    version = data_of(last).get("version")
    if not isinstance(version, int) or not before or not isinstance(before[-1], int):
        return failure(last, "a definition with its version")
    return "" if version - before[-1] in (0, 1) else failure(last, f"{before[-1]} or one more, not {version}")


def another_version(answers: list[Answer]) -> str:
    """Work without a version used another version than the current one."""
    last, name = answers[-1], unquote(urlsplit(answers[-1].path).path.rpartition("/")[2])
    puts = [
        data_of(one) for one in answers if one.method == "PUT" and name in (variant_of(one), *aliases_of(one))
    ]
    if refused(last) or not puts:
        return failure(last, "the action and its version")
    used, versions = data_of(last).get("a_ve"), {str(one.get("version")) for one in puts}
    asked = json_of_sent(last).get("version")
    current = {str(puts[-1].get("version"))} | ({str(asked)} & versions)
    return "" if used in current else failure(last, f"a_ve: {' or '.join(sorted(current))}, not {used}")


def another_definition(answers: list[Answer], member: str) -> str:
    """Work reached another definition than that of its variant."""
    last, name = answers[-1], unquote(urlsplit(answers[-1].path).path.rpartition("/")[2])
    mine = [data_of(one) for one in answers if one.method == "PUT" and variant_of(one) == name]
    got = data_of(last).get(member)
    if refused(last):
        return "" if not mine else failure(last, "the action")
    if member == "a_va":
        return "" if got == name else failure(last, f"a_va: {name!r}, not {got!r}")
    ids = {one.get("id") for one in mine}
    others = {data_of(one).get("id") for one in answers if one.method == "PUT"} - ids
    wrong = got in others or (mine and got not in ids)
    return failure(last, f"a_def_id of {name!r}, not {got!r}") if wrong else ""


def under_its_alias(answers: list[Answer]) -> str:
    """The answer to work under an alias names the alias as the variant."""
    last, name = answers[-1], unquote(urlsplit(answers[-1].path).path.rpartition("/")[2])
    return failure(last, "the variant of the definition") if data_of(last).get("a_va") == name else ""


def story(answers: list[Answer], *, together: bool = False) -> list[Any]:
    """Return status and `data` of each answer, with names and ids replaced by ones that each repetition has in common.

    `together`: the calls were made at the same moment, so versions count from the lowest of them.
    """
    known: dict[str, int] = {}
    versions = [int(one) for each in answers for one in versions_of(each)]
    lowest = min(versions, default=0) if together else 0

    def normalised(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {one: normalised(one, below) for one, below in sorted(value.items())}
        if isinstance(value, list):
            return [normalised(name, one) for one in value]
        if name in ("id", "a_def_id", "a_id") and isinstance(value, str | int):
            kind = "action" if name == "a_id" else "definition"
            return f"#{known.setdefault(f'{kind} {value}', len(known))}"
        if name in ("version", "a_ve") and str(value).isdecimal():
            return int(value) - lowest
        names = r"contract[.-][0-9a-z-]+?[.-](?:r[0-9a-f]+\.)?"
        return re.sub(names, "", value) if isinstance(value, str) else value

    return sorted(([one.status, normalised("", data_of(one))] for one in answers), key=json.dumps)


def same_as_before(answers: list[Answer], was: list[Any], *, together: bool = False) -> str:
    """The answers are those of the report once more; no more can be asserted where no single one is wrong."""
    if story(answers[-len(was) :], together=together) != was:
        return ""
    repeated = "\n".join(failure(one, "another answer to one of these") for one in answers[-len(was) :])
    return f"the answers are those of the report once more\n{repeated}"


def served_otherwise(answers: list[Answer]) -> str:
    """The last work is refused, or served by another version than the work before it."""
    before, last = [one for one in answers if "/v1/ingress/" in one.path][-2:]
    version = data_of(before).get("a_ve")
    same = last.status not in (200, 400) or data_of(last).get("a_ve") == version
    return "" if same else failure(last, f"work served by version {version} still")


# Helpers


def not_comparable(answer: Answer, was: int) -> str:
    """The answer is of another class of statuses than the one of the report, so it proves nothing."""
    kind = was // 100
    return (
        ""
        if answer.status // 100 == kind
        else failure(answer, f"{was}, whose content was wrong; this proves nothing")
    )


def failure(answer: Answer, expected: str) -> str:
    """Return one sentence that has what was expected and the answer, with the server's name for the request."""
    request_id = next((value for name, value in answer.headers if name.lower().endswith("request-id")), None)
    body = without_secrets(" ".join(answer.body.decode("utf-8", "replace").split()))
    asked = f"{answer.method} {answer.path.partition('?')[0]}"
    return f"{asked}: expected {expected}; got {answer.status or 'no answer'} {body[:300]}" + (
        f" (request id {without_secrets(request_id)})" if request_id else ""
    )


def without_secrets(text: str) -> str:
    """Return a text in which each key and secret header is replaced by its word, however it is encoded."""
    for word, secret in (
        {f"${name}": os.environ[name] for name in (*HEADERS.values(), *PROXY_LOGIN[1:])} | WORDS
    ).items():
        code = base64.b64encode(secret.encode()).decode()
        for form in (
            secret,
            json.dumps(secret)[1:-1],
            quote(secret, safe=""),
            code,
            code[: len(secret) // 3 * 4],
        ):
            text = text.replace(form, word) if len(form) > 5 else text
    return text


def header_of(answer: Answer, name: str) -> str | None:
    """Return the value of the first header of this name, in any case."""
    return next((value for other, value in answer.headers if other.lower() == name), None)


def json_of(answer: Answer) -> Any:
    """Return the JSON value of an answer, or None."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def json_of_sent(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that was sent (name → value), or an empty one."""
    try:
        value = json.loads(answer.sent)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def data_of(answer: Answer) -> dict[str, Any]:
    """Return the `data` of an answer (name → value) if that is an object, else an empty one."""
    value = json_of(answer)
    data = value.get("data") if isinstance(value, dict) else None
    return data if isinstance(data, dict) else {}


def versions_of(answer: Answer) -> list[str]:
    """Return the versions that an answer names, as texts of digits."""
    named = [str(data_of(answer).get(name)) for name in ("version", "a_ve")]
    return [one for one in named if one.isdecimal()]


def variant_of(answer: Answer) -> str:
    """Return the variant of the definition that was put; empty for other requests."""
    return str(json_of_sent(answer).get("variant")) if answer.method == "PUT" else ""


def aliases_of(answer: Answer) -> list[str]:
    """Return the aliases of the definition in the answer."""
    alias = data_of(answer).get("alias")
    return [str(one) for one in alias] if isinstance(alias, list) else []


# Values that each generated test sets for itself

BASE_URL = INGRESS_URL = CA = CLIENT_CERTIFICATE = CLIENT_KEY = PROXY = ""
PROXY_LOGIN: tuple[str, ...] = ()
"""The user of the proxy, and the variable of the password; empty where it asks for none."""
RESOLVE: dict[str, str] = {}
"""Host and port, as `host:443` → the address in place of a look-up."""
HEADERS: dict[str, str] = {}
"""Header that goes with every request → the variable of its value."""
WORDS: dict[str, str] = {}
"""Word that stands for a key → the key."""
