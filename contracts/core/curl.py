"""Exchanges as a shell script of curl lines, as a report shows them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .exchange import SHORTEST_SECRET, Exchange
from .target import ConnectionOptions

SHORTEST_PAUSE = 0.3
"""Seconds; a shorter pause between two requests is the time that sending takes, and no part of an example."""
_LEFT_OUT = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "user-agent", "host", "traceparent"),
        "x-schemathesis-testcaseid",
    }
)
"""Request headers that curl writes by itself, or that change nothing."""
_AT_THE_SAME_MOMENT = (
    "# at the same moment, which takes luck by hand: arklow-contracts check … --only does it often"
)


@dataclass(slots=True)
class Script:
    """A shell script of curl lines, in which keys stand as `$NAME` and ids that the target issued are captured."""

    secrets: Mapping[str, str]
    """Key → the shell expression that stands for it."""
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    ids: dict[str, str] = field(default_factory=dict)
    """Id of an action, in digits or as escaped full-width ones, → the shell expression that stands for it."""

    def render(self, exchanges: Sequence[Exchange], *, together: bool = False, times: int = 1) -> str:
        """Return the lines of the script, one for each exchange and each pause.

        `together`: the requests are sent at the same moment. `times`: the last one is sent so often.
        """
        if together:
            return "\n".join([*(f"{self._curl(one)} &" for one in exchanges), "wait", _AT_THE_SAME_MOMENT])
        if times > 1:
            line = self._curl(exchanges[-1]).replace(
                "curl -s", "curl -s -o /dev/null -w '%{http_code}\\n'", 1
            )
            return f"for i in $(seq {times}); do {line}; done | sort | uniq -c"
        later = b"".join(exchange.body or b"" for exchange in exchanges[1:])
        lines = []
        for number, exchange in enumerate(exchanges):
            pause = exchange.waited - exchanges[max(0, number - 1)].waited
            if pause >= SHORTEST_PAUSE:
                lines.append(f"sleep {pause:.1f}")
            line = self._curl(exchange)
            if number + 1 < len(exchanges):
                line = self._capturing(line, exchange.issued_id or "", later)
            lines.append(line)
        # the answer to the last request is what the example is about: its status and headers are shown
        lines[-1:] = [line.replace("curl -s ", "curl -si ", 1) for line in lines[-1:]]
        return "\n".join(lines)

    def _capturing(self, line: str, digits: str, later: bytes) -> str:
        """Return a line that keeps the issued id in a variable, if bodies of `later` requests have the id."""
        if not digits or not (digits.encode() in later or _full_width(digits).encode() in later):
            return line
        name = f"ID{len(self.ids) + 1}"
        self.ids[digits] = f"${name}"
        self.ids[_full_width(digits)] = f"$(printf %s \"${name}\" | sed 's/./\\\\uff1&/g')"
        return f'{name}=$({line} | sed -n \'s/.*"a_id": *"\\([0-9]*\\)".*/\\1/p\')'

    def _curl(self, exchange: Exchange) -> str:
        """Return the command that sends the request of an exchange."""
        parts = ["curl -s"]
        if exchange.method == "HEAD":
            parts.append("-I")
        elif exchange.method != ("GET" if exchange.body is None else "POST"):
            parts.append(f"-X {shlex.quote(exchange.method)}")
        parts.append(self._quoted(exchange.url))
        parts += self._connection_arguments()
        for name, value in exchange.headers:
            if name.lower() not in _LEFT_OUT and (name.lower(), value) != ("accept", "*/*"):
                parts.append("-H " + self._header(name, value))
        if exchange.chunks:
            parts.append("-H 'transfer-encoding: chunked'")
        if exchange.body is None:
            return " ".join(parts)
        if exchange.request_header("content-type") is None:
            parts.append("-H 'content-type:'")
        text = _printable(exchange.body)
        if text is not None:
            parts.append("--data-binary " + self._quoted(text))
            return " ".join(parts)
        octets = "".join(f"\\{byte:03o}" for byte in exchange.body)
        return f"printf '{octets}' | " + " ".join([*parts, "--data-binary @-"])

    def _connection_arguments(self) -> Iterator[str]:
        options = self.connection
        files = (
            ("--cacert", options.ca),
            ("--cert", options.certificate),
            ("--key", options.key),
            ("--proxy", options.proxy),
        )
        yield from (f"{flag} {self._quoted(given)}" for flag, given in files if given is not None)
        yield from (f'-H {shlex.quote(f"{one.name}: ")}"${one.variable}"' for one in options.headers)

    def _header(self, name: str, value: str) -> str:
        """Return a header as one shell word; a key that is all of its value becomes a variable however short it is."""
        if value in self.secrets:
            return f'{shlex.quote(f"{name}: ")}"{self.secrets[value]}"'
        return self._quoted(f"{name}: {value}" if value else f"{name};")

    def _quoted(self, text: str) -> str:
        """Return a text as one shell word in which known keys and ids are variables."""
        keys = {key: expression for key, expression in self.secrets.items() if len(key) >= SHORTEST_SECRET}
        names = {**keys, **self.ids}
        if not names:
            return shlex.quote(text)
        known = re.compile("|".join(re.escape(word) for word in sorted(names, key=len, reverse=True)))
        word, start = "", 0
        for found in known.finditer(text):
            if found[0] in self.ids and _is_part_of_a_number(text, found):
                continue
            word += shlex.quote(text[start : found.start()]) if found.start() > start else ""
            word += f'"{names[found[0]]}"'
            start = found.end()
        return word + (shlex.quote(text[start:]) if start < len(text) or not word else "")


def _is_part_of_a_number(text: str, found: re.Match[str]) -> bool:
    return text[: found.start()][-1:].isdigit() or text[found.end() :][:1].isdigit()


def _full_width(digits: str) -> str:
    """Return digits as the full-width ones that a JSON text writes with escapes."""
    return "".join(f"\\uff1{digit}" for digit in digits)


def _printable(body: bytes) -> str | None:
    """Return a body as text that curl takes as it is; None where it has to be sent as octets."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and not text.startswith("@") else None


__all__ = ["SHORTEST_PAUSE", "Script"]
