"""How long hostile schemas, payloads and bodies can delay the requests of other clients.

    python -m benchmarks.stall

One connection sends small modacks without pause, while another client PUTs a hostile schema of at most 64 KB and POSTs a
payload against it. Figure: the longest time between two answers on the first connection, against the same figure without
another client, which is the machine's own noise.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from typing import cast

from benchmarks.processes import free_port, machine, server

HEADERS = {"x-arklow-auth": "org-42", "content-type": "application/json"}


def doubling(levels: int) -> dict[str, object]:
    """A schema of `levels` nested `anyOf`s with two references each: it has 2 ** levels ways to fail."""
    definitions: dict[str, object] = {
        f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}, {"$ref": f"#/$defs/l{n + 1}"}]}
        for n in range(levels)
    }
    definitions[f"l{levels}"] = {"type": "integer"}
    return {"$defs": definitions, "$ref": "#/$defs/l0"}


def doubling_down() -> dict[str, object]:
    """A recursive schema whose cost doubles with each level of the payload."""
    return {"allOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}


def nested(depth: int) -> object:
    """A list in a list, `depth` levels deep."""
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


CASES: dict[str, tuple[object, object]] = {
    "32 levels of anyOf with two $refs": (doubling(32), "x"),
    "recursion that doubles, 400 deep": (doubling_down(), nested(400)),
    "1,000 patterns against 1 MB of strings": (
        {"items": {"allOf": [{"pattern": f"^(a|b|ab)*{n}$"} for n in range(1_000)]}},
        ["ab" * 500] * 1_000,
    ),
    "a pattern that backtracks": ({"pattern": r"^(?=a)(a+)+\1$"}, "a" * 5_000 + "b"),
    "a pattern of 64 KB": ({"pattern": r"\w{500}" * 7_000}, "a"),
    "3,500 subschemas on 1,000,000 items": (
        {"items": {"allOf": [{"minimum": n} for n in range(3_500)]}},
        [10_000] * 1_000_000,
    ),
    "uniqueItems on 300,000 lists": ({"uniqueItems": True}, [[n] for n in range(300_000)]),
    "$dynamicRef to itself": ({"$dynamicAnchor": "a", "$dynamicRef": "#a"}, 1),
    "$ref to itself": ({"$ref": "#"}, 1),
    "unevaluatedProperties under 2,000 anyOfs": (
        {"anyOf": [{"properties": {f"p{n}": {}}} for n in range(2_000)], "unevaluatedProperties": False},
        {f"p{n}": 1 for n in range(50_000)},
    ),
    "contains on 500,000 items": ({"contains": {"const": 1}, "minContains": 500_000}, [1] * 500_000),
    "80 patterns of 8 Unicode classes": (
        {"properties": {f"p{n}": {"pattern": r"\p{L}" * 8 + str(n)} for n in range(80)}},
        {},
    ),
    "256 reasons for each of 81 items": (
        {"$defs": doubling(8)["$defs"], "anyOf": [{"items": {"$ref": "#/$defs/l0"}}]},
        ["x"] * 81,
    ),
    "a reference that is percent-encoded": (
        {"$defs": {"%6C0": {}, **cast("dict[str, object]", doubling(28)["$defs"])}, "$ref": "#/$defs/%6C0"},
        "x",
    ),
    "no schema, 10 MB of small objects": ({}, [{"a": 1}] * 1_100_000),
    "no schema, 10 MB of numbers": ({}, [1] * 4_900_000),
}


def main() -> int:
    """Run every case and print one line each."""
    if sys.argv[1:2] == ["--attack"]:
        return attack_once(int(sys.argv[2]), sys.argv[3])
    port, ingress = free_port(), free_port()
    command = [sys.executable, "-m", "mock_server", "--host", "127.0.0.1", "--no-admin", "--port", str(port)]
    with server([*command, "--ingress-port", str(ingress)], port):
        print(machine())
        calm, _ = longest_pause(port, lambda: time.sleep(3))
        print(f"{'no other client':<46} longest pause {calm * 1000:6.1f} ms")
        worst = 0.0
        for name in CASES:
            attacker = [sys.executable, "-m", "benchmarks.stall", "--attack", str(port), name]
            output: list[str] = []

            def attack(attacker: list[str] = attacker, output: list[str] = output) -> None:
                output.append(subprocess.run(attacker, capture_output=True, text=True, check=True).stdout)

            pause, _ = longest_pause(port, attack)
            worst = max(worst, pause)
            print(f"{name:<46} longest pause {pause * 1000:6.1f} ms   {output[0].strip()}")
        print(f"{'worst':<46} longest pause {worst * 1000:6.1f} ms")
    return 0


def attack_once(port: int, name: str) -> int:
    """PUT the schema of a case and POST its payload, from a process of its own."""
    schema, payload = CASES[name]
    definition = json.dumps({"variant": "hostile", "schema": schema}, separators=(",", ":"))
    assert len(definition) < 65_536, (name, len(definition))
    work = json.dumps({"payload": payload}, separators=(",", ":"))
    started = time.perf_counter()
    put = ask(port, "PUT", "/v1/orgs/42/actions/definitions", definition)
    post = ask(port, "POST", "/v1/ingress/hostile", work)
    print(f"PUT {put}, POST {post} of {len(work):,} bytes in {time.perf_counter() - started:.2f} s")
    return 0


def ask(port: int, method: str, path: str, body: str) -> int:
    """The status of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body.encode(), HEADERS)
    status = connection.getresponse().status
    connection.close()
    return status


def longest_pause(port: int, attack: object) -> tuple[float, float]:
    """(longest time between two answers while `attack` runs, how long it ran), both in seconds."""
    assert callable(attack)
    thread = threading.Thread(target=attack)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = b'{"action_record_id":"1","attempt":0,"mod_ack":1}'

    def ping() -> None:
        connection.request("POST", "/v1/modack", body, HEADERS)
        connection.getresponse().read()

    for _ in range(200):
        ping()
    thread.start()
    started = last = time.perf_counter()
    longest = 0.0
    while thread.is_alive():
        ping()
        now = time.perf_counter()
        longest = max(longest, now - last)
        last = now
        time.sleep(0.001)
    return longest, last - started


if __name__ == "__main__":
    sys.exit(main())
