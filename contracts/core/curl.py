"""Exchanges as a shell script of curl lines, as a report shows them."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .digits import Number, numbers, numbers_in
from .exchange import SHORTEST_SECRET, Exchange, leading_definitions
from .target import ConnectionOptions

SHORTEST_PAUSE = 0.3
"""Seconds; a shorter pause between two requests is the time that sending takes, and no part of an example."""
_CURL = "curl -sS --globoff"
"""Silent but for errors, and without a meaning of brackets and braces in URLs."""
_DOTS = re.compile(r"/\.{1,2}(?:[/?]|$)")
"""A segment that curl takes out of a URL unless it is told not to."""
_LEFT_OUT = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "user-agent", "host", "traceparent"),
        "x-schemathesis-testcaseid",
    }
)
"""Request headers that curl writes by itself, or that change nothing."""
_ROUNDS = 20
"""How often requests are sent at the same moment: whether they meet is a matter of luck."""
_ALONE = 16
"""How often one request is sent at the same moment that fails where many meet."""


@dataclass(slots=True)
class Script:
    """A shell script of curl lines, in which keys stand as `$NAME` and ids that the target issued are captured."""

    secrets: Mapping[str, str]
    """Key → the shell expression that stands for it."""
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    ids: dict[str, str] = field(default_factory=dict)
    """Id of an action → the shell variable that it is kept in."""

    def render(self, exchanges: Sequence[Exchange], *, together: int = 0, times: int = 1) -> str:
        """Return the lines of the script, one for each exchange and each pause.

        `together`: so many of the last requests are sent at the same moment. `times`: they are sent so often, but for definitions at the beginning.
        """
        if together:
            first = len(exchanges) - together
            before = [f"  {line}" for line in self._in_order(exchanges, first)]
            volley = f"  {self._parallel(exchanges[first:])}"
            return "\n".join([f"for round in $(seq {_ROUNDS}); do", *before, volley, "done"])
        lines = self._in_order(exchanges, len(exchanges) - 1)
        last = self._curl(exchanges[-1])
        if times > 1:
            once = leading_definitions(exchanges)
            line = last.replace(_CURL, f"{_CURL} -o /dev/null -w '%{{http_code}}\\n'", 1)
            loop = "; ".join([*lines[once:], line])
            return "\n".join(
                [*lines[:once], f"for round in $(seq {times}); do {loop}; done | sort | uniq -c"]
            )
        # the answer to the last request is what the example is about: its status and headers are shown
        return "\n".join([*lines, *self._pause(exchanges, -1), last.replace(_CURL, f"{_CURL} -i", 1)])

    def _in_order(self, exchanges: Sequence[Exchange], count: int) -> list[str]:
        """Return a line for each of the first `count` exchanges; ids that later ones need are kept in variables."""
        later = [set(numbers_in(exchange.body)) for exchange in exchanges]
        lines: list[str] = []
        for number, exchange in enumerate(exchanges[:count]):
            lines += self._pause(exchanges, number)
            line, digits = self._curl(exchange), exchange.issued_id
            if digits is not None and any(digits in one for one in later[number + 1 :]):
                name = f"ID{len(self.ids) + 1}"
                self.ids[digits] = name
                line = f'{name}=$({line} | sed -n \'s/.*"a_id": *"\\([0-9]*\\)".*/\\1/p\')'
            lines.append(line)
        return lines

    def _pause(self, exchanges: Sequence[Exchange], number: int) -> Iterator[str]:
        """Yield the line that waits as long as the run waited on purpose before an exchange."""
        number %= len(exchanges)
        pause = exchanges[number].waited - exchanges[max(0, number - 1)].waited
        if pause >= SHORTEST_PAUSE:
            yield f"sleep {pause:.1f}"

    def _parallel(self, exchanges: Sequence[Exchange]) -> str:
        """Return one command that sends requests at the same moment; equal ones as several URLs with the same options."""
        lines = [self._curl(exchange, piped=False) for exchange in exchanges]
        lines *= _ALONE if len(exchanges) == 1 else 1
        parts = []
        for line, count in Counter(lines).items():
            url, _, rest = line.removeprefix(f"{_CURL} ").partition(" -")
            urls = " ".join([url] * count)
            parts.append(f"-sS --globoff -w ' %{{http_code}}\\n' {urls}{f' -{rest}' if rest else ''}")
        return "curl --parallel --parallel-immediate " + " --next ".join(parts)

    def _curl(self, exchange: Exchange, *, piped: bool = True) -> str:
        """Return the command that sends the request of an exchange.

        Octets that no argument can have are piped into it; not `piped` they come from a substitution of bash.
        """
        parts = [_CURL, self._quoted(exchange.url)]
        if exchange.method == "HEAD":
            parts.append("-I")
        elif exchange.method != ("GET" if exchange.body is None else "POST"):
            parts.append(f"-X {shlex.quote(exchange.method)}")
        if _DOTS.search(exchange.url):
            parts.append("--path-as-is")
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
        octets = _octets(exchange.body)
        if not piped:
            return " ".join([*parts, f"--data-binary @<(printf '{octets}')"])
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
        if options.proxy_login is not None:
            user = shlex.quote(f"{options.proxy_login.user}:")
            yield f'--proxy-user {user}"${options.proxy_login.variable}"'
        yield from (f"--resolve {shlex.quote(str(one))}" for one in options.resolve)
        yield from (f'-H {shlex.quote(f"{one.name}: ")}"${one.variable}"' for one in options.headers)

    def _header(self, name: str, value: str) -> str:
        """Return a header as one shell word; a key that is all of its value becomes a variable however short it is."""
        if value in self.secrets:
            return f'{_word(f"{name}: ")}"{self.secrets[value]}"'
        return self._quoted(f"{name}: {value}" if value else f"{name};")

    def _quoted(self, text: str) -> str:
        """Return a text as one shell word in which known keys and ids are variables."""
        keys = {key: expression for key, expression in self.secrets.items() if len(key) >= SHORTEST_SECRET}
        known = re.compile("|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or "(?!)")
        word, start = "", 0
        for found in known.finditer(text):
            word += self._with_ids(text[start : found.start()]) + f'"{keys[found[0]]}"'
            start = found.end()
        return (word + self._with_ids(text[start:])) or "''"

    def _with_ids(self, text: str) -> str:
        """Return a text without keys as a part of a shell word, in which known ids are variables."""
        word, start = "", 0
        for number in numbers(text) if self.ids else ():
            if (name := self.ids.get(number.value)) is not None:
                before = text[start : number.start]
                word += f'{_word(before) if before else ""}"{_expression(number, name)}"'
                start = number.end
        return word + (_word(text[start:]) if text[start:] else "")


def _word(text: str) -> str:
    """Return a text as a part of a shell word; characters that cannot be printed as bash escapes them."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    shown = (c if c.isprintable() else _octets(c.encode("utf-8", "surrogatepass")) for c in escaped)
    return f"$'{''.join(shown)}'"


def _octets(content: bytes) -> str:
    """Return bytes as `printf` and bash escape them."""
    return "".join(f"\\{byte:03o}" for byte in content)


def _expression(number: Number, name: str) -> str:
    """Return the shell expression that writes the id in a variable as a number of an example is written."""
    if number.written("0") == "0":
        return f"${name}"
    letters = "ABCDEFGHIJ"  # in between, as an escaped digit has ASCII digits itself
    edits = ";".join(f"s/{letters[digit]}/{number.written(str(digit))}/g" for digit in range(10))
    return f"$(printf %s \"${name}\" | tr 0-9 {letters} | sed '{edits.replace(chr(92), chr(92) * 2)}')"


def _printable(body: bytes) -> str | None:
    """Return a body as text that curl takes as it is; None where it has to be sent as octets."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and not text.startswith("@") else None


__all__ = ["SHORTEST_PAUSE", "Script"]
