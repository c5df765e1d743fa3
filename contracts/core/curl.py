"""Exchanges as a shell script of curl lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .exchange import _LONG, Exchange
from .target import Way

_QUIET = {
    *("accept-encoding", "connection", "user-agent", "host", "traceparent", "x-schemathesis-testcaseid"),
}


_AGAIN = "# at the same moment, which takes luck by hand: arklow-contracts check … --only does it often"


SHORTEST_PAUSE = 0.3
"""Seconds from which on a pause is part of an example."""


@dataclass(slots=True)
class Script:
    """A shell script of curl lines; keys stand as `$NAME`, ids that the target made are captured."""

    secrets: Mapping[str, str]
    """Key → the shell expression that stands for it."""
    way: Way = field(default_factory=Way)
    ids: dict[str, str] = field(default_factory=dict)
    """Action id, in digits or as escaped wide ones, → the shell expression that stands for it."""

    def of(self, exchanges: Sequence[Exchange], *, together: bool = False, times: int = 1) -> str:
        """The lines, one for each exchange; `together`: sent at the same moment; `times`: sent so often."""
        if together:
            return "\n".join([*(f"{self._curl(exchange)} &" for exchange in exchanges), "wait", _AGAIN])
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
            digits = exchange.issued or ""
            if (
                digits
                and number + 1 < len(exchanges)
                and (digits.encode() in later or _wide(digits).encode() in later)
            ):
                name = f"ID{len(self.ids) + 1}"
                self.ids[digits] = f"${name}"
                self.ids[_wide(digits)] = f"$(printf %s \"${name}\" | sed 's/./\\\\uff1&/g')"
                line = f'{name}=$({line} | sed -n \'s/.*"a_id": *"\\([0-9]*\\)".*/\\1/p\')'
            lines.append(line)
        lines[-1:] = [line.replace("curl -s ", "curl -si ", 1) for line in lines[-1:]]  # what is looked at
        return "\n".join(lines)

    def _curl(self, exchange: Exchange) -> str:
        parts = ["curl -s"]
        if exchange.method == "HEAD":
            parts.append("-I")
        elif exchange.method != ("GET" if exchange.body is None else "POST"):
            parts.append(f"-X {shlex.quote(exchange.method)}")
        parts.append(self._quoted(exchange.url))
        parts += self._reached()
        chunked = bool(exchange.chunks)
        for name, value in exchange.headers:
            if (
                name.lower() in _QUIET
                or name.lower() == "content-length"
                or (name.lower(), value) == ("accept", "*/*")
            ):
                continue
            parts.append("-H " + self._header(name, value))
        if chunked:
            parts.append("-H 'transfer-encoding: chunked'")
        if exchange.body is not None and exchange.sent("content-type") is None:
            parts.append("-H 'content-type:'")
        if exchange.body is None:
            return " ".join(parts)
        text = _printable(exchange.body)
        if text is not None:
            parts.append("--data-binary " + self._quoted(text))
            return " ".join(parts)
        octets = "".join(f"\\{byte:03o}" for byte in exchange.body)
        return f"printf '{octets}' | " + " ".join([*parts, "--data-binary @-"])

    def _reached(self) -> Iterator[str]:
        """The words of how the target is reached."""
        way = self.way
        files = (
            ("--cacert", way.ca),
            ("--cert", way.certificate),
            ("--key", way.key),
            ("--proxy", way.proxy),
        )
        yield from (f"{flag} {shlex.quote(given)}" for flag, given in files if given is not None)
        yield from (f'-H {shlex.quote(f"{one.name}: ")}"${one.variable}"' for one in way.headers)

    def _header(self, name: str, value: str) -> str:
        """A header as one shell word; a key that is all of its value becomes a variable however short it is."""
        if value in self.secrets:
            return f'{shlex.quote(f"{name}: ")}"{self.secrets[value]}"'
        return self._quoted(f"{name}: {value}" if value else f"{name};")

    def _quoted(self, text: str) -> str:
        """One shell word; known keys and ids in it become variables."""
        names = {**{key: shown for key, shown in self.secrets.items() if len(key) >= _LONG}, **self.ids}
        if not names:
            return shlex.quote(text)
        known = re.compile("|".join(re.escape(word) for word in sorted(names, key=len, reverse=True)))
        word, start = "", 0
        for found in known.finditer(text):
            if found[0] in self.ids and not _whole(text, found):
                continue
            word += shlex.quote(text[start : found.start()]) if found.start() > start else ""
            word += f'"{names[found[0]]}"'
            start = found.end()
        return word + (shlex.quote(text[start:]) if start < len(text) or not word else "")


def _whole(text: str, found: re.Match[str]) -> bool:
    """Whether a run of digits is not part of a longer one."""
    return not (text[: found.start()][-1:].isdigit() or text[found.end() :][:1].isdigit())


def _wide(digits: str) -> str:
    """Digits as a JSON text escapes their full-width kin."""
    return "".join(f"\\uff1{digit}" for digit in digits)


def _printable(body: bytes) -> str | None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and not text.startswith("@") else None


__all__ = ["SHORTEST_PAUSE", "Script"]
