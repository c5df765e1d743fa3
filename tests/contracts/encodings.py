"""Ways in which a program writes a secret into a text, and whether a text shows one; made without the judge's own code."""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, unquote, unquote_plus


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _dump(text: str) -> str:
    """A hex dump as `xxd` writes it: 16 bytes a line, the text beside them."""
    data = f"key={text};".encode()
    rows = [data[at : at + 16] for at in range(0, len(data), 16)]
    lines = []
    for number, row in enumerate(rows):
        digits = re.sub("(....)", r"\1 ", row.hex()).strip()
        lines.append(f"{16 * number:08x}: {digits:39}  {row.decode()}")
    return "\n".join(lines)


ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "as it is": str,
    "in a URL": lambda text: quote(text, safe="").replace("-", "%2D").replace("%3D", "%3d"),
    "in a URL, each character": _percent,
    "in a URL, twice": lambda text: quote(_percent(text), safe=""),
    "Base64": _b64,
    "Base64 without padding": lambda text: _b64(text).rstrip("="),
    "Base64 of a user and it": lambda text: _b64(f"user:{text}"),
    "Base64 in another text": lambda text: _b64(f"my {text} is mine"),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(f"??>{text}~~".encode()).decode(),
    "Base64 in a URL": lambda text: quote(_b64(f"u:{text}"), safe=""),
    "Base64 in short lines": lambda text: "\r\n ".join(re.findall(".{1,8}", _b64(f"user:{text}"))),
    "Base64 of UTF-16": lambda text: base64.b64encode(f"a{text}".encode("utf-16-le")).decode(),
    "JSON": lambda text: "".join(f"\\u{ord(c):04X}" for c in text),
    "JSON, some": lambda text: text.replace("-", "\\u002d").replace("/", "\\/").replace("k", "\\u006B"),
    "JSON in JSON": lambda text: json.dumps("".join(f"\\u{ord(c):04x}" for c in text))[1:-1],
    "HTML in digits": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "HTML in hexadecimal digits": lambda text: "".join(f"&#x{ord(c):X};" for c in text),
    "HTML by name": lambda text: html.escape(text).replace("+", "&plus;").replace("/", "&sol;"),
    "HTML in HTML": lambda text: html.escape("".join(f"&#{ord(c)};" for c in text)),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "hexadecimal with blanks": lambda text: text.encode().hex(" "),
    "hexadecimal with colons": lambda text: f"k={text}".encode().hex(":"),
    "hexadecimal as in C": lambda text: ", ".join(f"0x{byte:02X}" for byte in text.encode()),
    "a hex dump": _dump,
    "quoted-printable": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    "quoted-printable, folded": lambda text: quopri.encodestring(f"{'x' * 68}{text}".encode()).decode(),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16, the other way": lambda text: text.encode("utf-16-be").decode("latin-1"),
    "backslashes": lambda text: "".join(f"\\{c}" if not c.isalnum() else c for c in text),
    "Python": lambda text: "".join(f"\\x{ord(c):02x}" for c in text),
    "octal": lambda text: "".join(f"\\{ord(c):03o}" for c in text),
    "Base32": lambda text: base64.b32encode(f"me:{text}".encode()).decode(),
    "a list of bytes": lambda text: json.dumps([*f"k={text}".encode()]),
    "several kinds": lambda text: "".join(
        (f"%{ord(c):02X}", f"\\u{ord(c):04x}", f"&#{ord(c)};", c)[n % 4] for n, c in enumerate(text)
    ),
}
"""Name → what an encoder makes of a secret, alone or within a text of its own."""


def shows(text: str, secret: str) -> bool:
    """Tell whether a text shows a secret: in whatever way its escapes are undone, plain or in Base64 or hexadecimal digits."""
    texts, todo = {text}, [text]
    for _ in range(4):
        todo = [other for one in todo for other in _unescaped(one) if other not in texts]
        texts.update(todo)
    needles = {secret, secret.encode().hex(), secret.encode("utf-16-le").hex()[:-2]}
    for before in range(3):
        for octets in (secret.encode(), secret.encode("utf-16-le")[:-1]):
            code = base64.b64encode(bytes(before) + octets + b"\0\0\0").decode()
            needles.add(code[2 + 4 * (before > 1) : (before + len(octets)) * 8 // 6 - 1])
    listed = {
        json.dumps([*secret.encode()])[1:-1],
        base64.b32encode(f"me:{secret}".encode()).decode().strip("="),
    }
    return any(needle in one for needle in needles | listed for one in texts)


def _unescaped(text: str) -> set[str]:
    """Return a text with one kind of escapes undone, for each kind."""
    plain = re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))",
        lambda one: (
            chr(int(one[1] or one[2], 16))
            if one[1] or one[2]
            else chr(int(one[3], 8))
            if one[3]
            else {"n": "\n", "r": "\r"}.get(one[4], one[4])
        ),
        text,
    )
    hexadecimal = re.sub(r"(?<=[0-9a-f]{2})(?:\W{0,3}0x|\W{1,3})(?=[0-9a-f]{2})", "", text.lower())
    return {
        *(unquote(text), unquote_plus(text), html.unescape(text), plain, hexadecimal),
        *(re.sub(r"[\0\r\n]+ *", "", text), text.replace("-", "+").replace("_", "/")),
        quopri.decodestring(text.encode("latin-1", "replace")).decode("latin-1"),
    }


__all__ = ["ENCODINGS", "shows"]
