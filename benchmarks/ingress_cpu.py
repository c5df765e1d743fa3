"""CPU per validated, stateful ingress against a bare Starlette JSON echo.

    python -m benchmarks.ingress_cpu [--rounds 5] [--seconds 5]

The peer is Starlette's own `request.json()` → `JSONResponse` under uvicorn with the same loop and parser; it checks and
stores nothing. The mock checks key, document, body, definition schema, tags and version, stores an action, checks the
answer and writes a log line. The load is `wrk -t1 -c16` with the same body, on each in turn. Figure: user and system time
of the server's process group, divided by the number of answers.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from benchmarks.processes import free_port, group_cpu, machine, server

BODY = '{"payload":{"order_id":"8471","total":12.5,"items":[{"sku":"a-1","quantity":2}]},"tags":{"region":"eu"},"version":1}'
DEFINITION = """{"variant":"order.created","schema":{"type":"object","required":["order_id","total"],"properties":{
"order_id":{"type":"string","minLength":1},"total":{"type":"number","minimum":0},"items":{"type":"array","items":{
"type":"object","required":["sku"],"properties":{"sku":{"type":"string"},"quantity":{"type":"integer"}}}}}}}"""
ECHO = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def echo(request):
    return JSONResponse(await request.json())
app = Starlette(routes=[Route("/v1/ingress/{variant}", echo, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
"""


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    echo, ours, control = free_port(), free_port(), free_port()
    mock = [sys.executable, "-m", "mock_server", "--host", "127.0.0.1", "--no-admin"]
    with (
        tempfile.TemporaryDirectory() as folder,
        server([sys.executable, "-c", ECHO, str(echo)], echo) as echo_group,
        server([*mock, "--port", str(control), "--ingress-port", str(ours)], ours) as our_group,
    ):
        put = urllib.request.Request(
            f"http://127.0.0.1:{control}/v1/orgs/42/actions/definitions",
            DEFINITION.encode(),
            {"x-arklow-auth": "org-42", "content-type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(put).close()
        script = Path(folder) / "post.lua"
        script.write_text(
            f"wrk.method='POST'; wrk.body=[[{BODY}]]\n"
            "wrk.headers['content-type']='application/json'; wrk.headers['x-arklow-auth']='org-42'\n"
        )
        figures: dict[str, list[tuple[float, float]]] = {"starlette echo": [], "arklow-mock": []}
        for _ in range(options.rounds):
            for name, port, group in (("starlette echo", echo, echo_group), ("arklow-mock", ours, our_group)):
                figures[name].append(one_round(port, group, script, options.seconds))
    print(machine())
    for name, rounds in figures.items():
        cpu = statistics.median(cpu for cpu, _ in rounds)
        rate = statistics.median(rate for _, rate in rounds)
        print(f"{name:<16} {cpu:7.1f} µs CPU per request   {rate:8.0f} requests/s")
    ratios = [o[0] / e[0] for e, o in zip(figures["starlette echo"], figures["arklow-mock"], strict=True)]
    print(f"ratio            {statistics.median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


def one_round(port: int, group: int, script: Path, seconds: int) -> tuple[float, float]:
    """(µs of CPU per request, requests per second); every answer has to be a 200."""
    before = group_cpu(group)
    output = subprocess.run(
        [
            "wrk",
            "-t1",
            "-c16",
            f"-d{seconds}s",
            "-s",
            str(script),
            f"http://127.0.0.1:{port}/v1/ingress/order.created",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = group_cpu(group) - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(output)
    found = re.search(r"(\d+) requests in", output)
    assert found, output
    requests = int(found[1])
    return used / requests * 1e6, requests / seconds


if __name__ == "__main__":
    sys.exit(main())
