"""Recognises secrets in a text, as they are and as programs encode them: one code for finding them and for masking them.

What SAFE-1 finds in an answer is what no report shows. An encoder may escape some characters and leave others, so escapes
are undone, each with the place that it had; Base64 and hexadecimal digits are compared as they are written.
"""

from __future__ import annotations

import base64
import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

SHORTEST_SECRET: Final = 6
"""Characters; a shorter key is not looked for inside of other text, as it might be an ordinary word."""

_MOST_ESCAPED: Final = 4
"""How often a text is unescaped: an application and a gateway, each of which escapes twice."""
_MOST_SEARCHES: Final = 100
"""Beginnings of forms that are searched for one by one; with more of them each place of a text is looked up instead."""
# How encoders write a character, or nothing: names of programs and formats where they are met

_URL: Final = r"%u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}"
_BACKSLASH: Final = (
    r"\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,5}\}|\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}|\\\r?\n|\\[^\r\n]"
)
"""JSON, JavaScript, Python, C and shells."""
_HTML: Final = r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?"
_QUOTED_PRINTABLE: Final = r"=[0-9A-Fa-f]{2}|=\r?\n"
_JOINT: Final = "[\0\r\n\u00ad\u200b-\u200d\u2060\ufeff]+[ \t]*"
"""What stands between two characters and is none: the zeros of UTF-16, folded lines, characters without a width."""
_KINDS: Final = tuple(map(re.compile, (_URL, _BACKSLASH, _HTML, _QUOTED_PRINTABLE, _JOINT)))
_ANY: Final = re.compile("|".join((_URL, _BACKSLASH, _HTML, _QUOTED_PRINTABLE, _JOINT)))
_HEX_JOINT: Final = re.compile(
    r"(?<=[0-9A-Fa-f]{2})(?:"
    r" {1,3}\|?[^\r\n]{0,18}\|?\r?\n[0-9A-Fa-f]{4,16}:?[ \t]{1,2}"
    r"|[\s:,;._-]{0,3}(?:0[xX])|[\s:,;._-]{1,3}"
    r")(?=[0-9A-Fa-f]{2})"
)
"""What stands between two bytes of a hex dump; at the end of its line the bytes as text, then the next offset."""
_DECIMALS: Final = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:[ \t\r\n]*,[ \t\r\n]*[0-9]{1,3}){5,}(?![0-9.])")
"""A list of bytes, as JSON has a buffer."""
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_LOWER: Final = str.maketrans("ABCDEF", "abcdef")
_URL_SAFE: Final = str.maketrans("+/", "-_")
_IN_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_ELLIPSIS: Final = re.compile(r"\.\.\.|…")
"""Ends a text that a message has shortened."""
_LAST_PIECE: Final = re.compile(r"[%\\&=,:._\s-]+[\w{;#]{0,12}\Z")
"""Ends a text that may have been cut within an escape, or within a number of a list."""
_VARIABLE: Final = re.compile(r"\$[({]?\s*(?:printf \S+ \"\$)?([A-Za-z_][A-Za-z0-9_]*)")
"""A shell expression that stands for a secret, and the variable in it."""


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a secret is written."""

    shown: str
    """What stands for it in a masked text."""
    shares_first: bool = False
    """The character before it holds some of its bits, as in Base64."""
    shares_last: bool = False
    """The character after it holds some of its bits."""


class SecretRecogniser:
    """Finds secrets in texts, and masks them.

    The work grows with the length of the text, not with the number of secrets.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        """Take the secrets: each as it is written → what stands for it, such as `$ARKLOW_API_KEY`."""
        self._forms: dict[str, _Form] = {}
        for secret, shown in known.items():
            if len(secret) >= SHORTEST_SECRET:
                self._forms[secret] = _Form(shown)
        for secret, shown in known.items():
            if len(secret) >= SHORTEST_SECRET:
                for form, shares_first, shares_last in _encodings(secret):
                    self._forms.setdefault(form, _Form(_encoded(shown), shares_first, shares_last))
        lengths: dict[str, set[int]] = {}
        for form in self._forms:
            lengths.setdefault(form[:SHORTEST_SECRET], set()).add(len(form))
        self._lengths = {beginning: sorted(found, reverse=True) for beginning, found in lengths.items()}
        """First characters of forms → how long the forms are that begin with them, the longest first."""

    def finds(self, text: str) -> bool:
        """Tell whether a text shows a secret, in any form."""
        return any(True for layer in _layers(text) for _ in self._hits(layer.text))

    def found(self, text: str) -> frozenset[str]:
        """Return what stands for the secrets that a text shows, in any form."""
        shown = (form.shown for layer in _layers(text) for *_, form in self._hits(layer.text))
        return frozenset(one.removesuffix(_MARK) for one in shown)

    def mask(self, text: str, *, is_cut: bool = False) -> str:
        """Return a text in which what stands for a secret is in its place; all else is as it was.

        `is_cut`: the text is the beginning of a longer one. The part of a secret that its end leaves is masked too, as it is
        before an ellipsis; a piece of an escape at the end is left out.
        """
        if is_cut:
            text = _LAST_PIECE.sub("", text)
        found: list[tuple[int, int, str]] = []
        for layer in _layers(text):
            for start, end, form in (*self._hits(layer.text), *self._cut_hits(layer.text, is_cut=is_cut)):
                first, last = layer.place(start, end)
                is_as_known = layer.parent is None or form.shown.endswith(_MARK)
                found.append((first, last, form.shown if is_as_known else _encoded(form.shown)))
        if not found:
            return text
        pieces, done = [], 0
        for start, end, shown in sorted(found, key=lambda one: (one[0], -one[1], _MARK in one[2])):
            if start >= done:
                pieces += [text[done:start], shown]
            done = max(done, end)
        return "".join([*pieces, text[done:]])

    def _hits(self, text: str) -> Iterator[tuple[int, int, _Form]]:
        """Yield where a form begins and ends in a text, and which one; of those that begin together the longest."""
        for start in self._candidates(text):
            for length in self._lengths[text[start : start + SHORTEST_SECRET]]:
                form = self._forms.get(text[start : start + length])
                if form is not None:
                    yield *_with_shared(text, start, start + length, form), form
                    break

    def _cut_hits(self, text: str, *, is_cut: bool) -> Iterator[tuple[int, int, _Form]]:
        """Yield where a form begins that is cut off, where it is cut off, and which one."""
        ends = [one.start() for one in _ELLIPSIS.finditer(text)]
        ends += [len(text)] if is_cut else []
        for start in self._candidates(text) if ends else ():
            at = bisect_right(ends, start)
            form = self._beginnings.get(text[start : ends[at]]) if at < len(ends) else None
            if form is not None:
                yield start, ends[at], form

    @cached_property
    def _beginnings(self) -> dict[str, _Form]:
        """Each beginning of a form that is long enough to be looked for → the form."""
        return {
            text[:length]: form
            for text, form in reversed(
                self._forms.items()
            )  # the first one stays, which is the secret as it is
            for length in range(SHORTEST_SECRET, len(text))
        }

    def _candidates(self, text: str) -> Iterator[int]:
        """Yield where the first characters of a form stand."""
        beginnings = self._lengths
        if len(beginnings) > _MOST_SEARCHES or len(text) < len(beginnings):
            for start in range(len(text) - SHORTEST_SECRET + 1):
                if text[start : start + SHORTEST_SECRET] in beginnings:
                    yield start
            return
        for beginning in beginnings:
            start = text.find(beginning)
            while start >= 0:
                yield start
                start = text.find(beginning, start + 1)


class _Layer:
    """A text after one kind of escapes was undone, which knows where its characters stood before."""

    def __init__(self, text: str, parent: _Layer | None = None, undone: re.Pattern[str] = _ANY) -> None:
        self.text = text
        self.parent = parent
        self._undone = undone

    def without(self, escapes: re.Pattern[str]) -> _Layer | None:
        """Return this text with escapes of one kind undone; None where it has none."""
        if escapes.search(self.text) is None:
            return None
        if escapes is _HEX_JOINT:
            return _Layer(escapes.sub("", self.text).translate(_LOWER), self, escapes)
        return _Layer(escapes.sub(_undo, self.text), self, escapes)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of this text begins and ends in the text that was given."""
        if self.parent is None:
            return start, end
        begins, pieces = self._pieces
        first, last = pieces[bisect_right(begins, start) - 1], pieces[bisect_right(begins, end - 1) - 1]
        before = first[1] + (start - first[0] if first[3] else 0)
        after = last[1] + end - last[0] if last[3] else last[2]
        if self._undone is _HEX_JOINT and "\n" in self.parent.text[before:after]:
            after = _end_of_dumped_line(self.parent.text, after)
        return self.parent.place(before, after)

    @cached_property
    def _pieces(self) -> tuple[list[int], list[tuple[int, int, int, bool]]]:
        """The beginnings of the pieces of this text, and each piece.

        A piece is where it begins here, where it begins and ends in the parent's text, and whether it was left as it is.
        """
        assert self.parent is not None
        source, at, done = self.parent.text, 0, 0
        pieces: list[tuple[int, int, int, bool]] = []
        for escape in self._undone.finditer(source):
            if escape.start() > done:
                pieces.append((at, done, escape.start(), True))
                at += escape.start() - done
            undone = "" if self._undone is _HEX_JOINT else _undo(escape)
            if undone:
                pieces.append((at, escape.start(), escape.end(), False))
            at, done = at + len(undone), escape.end()
        pieces.append((at, done, len(source), True))
        return [piece[0] for piece in pieces], pieces


def _layers(text: str) -> Iterator[_Layer]:
    """Yield a text as it is, then with escapes undone: of all kinds, and of one kind where there are several."""
    whole = _Layer(text)
    yield whole
    chain = [whole]
    for _ in range(_MOST_ESCAPED):
        if (layer := chain[-1].without(_ANY)) is None or layer.text == chain[-1].text:
            break
        chain.append(layer)
        yield layer
    for layer in chain:
        if (digits := layer.without(_HEX_JOINT)) is not None:
            yield digits
        elif (lower := layer.text.translate(_LOWER)) != layer.text:
            yield _Layer(lower, layer, _NOTHING)
    if (octets := whole.without(_DECIMALS)) is not None:
        yield octets
    kinds = [kind for kind in _KINDS if kind.search(text)]
    for kind in kinds if len(kinds) > 1 else ():
        chain = [whole]
        for _ in range(2):
            if (layer := chain[-1].without(kind)) is None or layer.text == chain[-1].text:
                break
            chain.append(layer)
            yield layer


def _end_of_dumped_line(text: str, end: int) -> int:
    """Return where the line of a hex dump ends whose bytes reach `end`: after the text that repeats them."""
    line = _DUMPED_LINE.match(text, text.rfind("\n", 0, end) + 1)
    if line is None:
        return end
    return max(end, line.end() + len(line[1].replace(" ", "")) // 2)


_DUMPED_LINE: Final = re.compile(r"[0-9A-Fa-f]{4,16}:?[ \t]((?:[0-9A-Fa-f]{2} ?){1,32}) +\|?")
"""A line of a hex dump up to the text beside it; its group has the bytes."""
_NOTHING: Final = re.compile(r"(?!)")
"""Escapes of no kind: each character stands where it stood."""


def _undo(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for; nothing where it stands for none."""
    text = escape[0]
    if text[0].isdigit():
        return "".join(map(chr, map(int, text.split(","))))
    if text[0] in "%=" and len(text) > 2:
        return chr(int(text[1:].lstrip("u"), 16)) if text[-1] != "\n" else ""
    if text[0] == "&":
        return html.unescape(text)
    if text[0] != "\\":
        return ""
    if text[1] in "ux" and len(text) > 2:
        return chr(int(text[2:].strip("{}"), 16))
    if len(text) == 4:
        return chr(int(text[1:], 8))
    return "" if text[-1] == "\n" else _CONTROLS.get(text[1], text[1])


def _with_shared(text: str, start: int, end: int, form: _Form) -> tuple[int, int]:
    """Widen the place of a form by the characters that hold bits of it, and by what pads it."""
    if form.shares_first and start and text[start - 1] in _IN_BASE64:
        start -= 1
    if form.shares_last and text[end : end + 1] in _IN_BASE64:
        end += 1
    if form.shown.endswith(_MARK):
        end += len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))
    return start, end


def _encodings(secret: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield what the encodings of any text around a secret have in common, and whether its ends share characters.

    In Base64 and Base32 that depends on where the secret begins. UTF-16 is compared without the zero at its end, so that both orders
    of bytes are.
    """
    plain = secret.encode("utf-8", "replace")
    wide = secret.encode("utf-16-le", "replace")[:-1]
    if plain.decode("latin-1") != secret:
        yield plain.decode("latin-1"), False, False
    for octets in (plain, wide):
        yield octets.hex(), False, False
        for before in range(3):
            code = base64.b64encode(bytes(before) + octets).decode()
            first, last = -(-before * 8 // 6), (before + len(octets)) * 8 // 6
            shares_last = (before + len(octets)) * 8 % 6 != 0
            for form in {code[first:last], code[first:last].translate(_URL_SAFE)}:
                yield form, before > 0, shares_last
    for before in range(5):
        code = base64.b32encode(bytes(before) + plain).decode()
        first, last = -(-before * 8 // 5), (before + len(plain)) * 8 // 5
        yield code[first:last], before > 0, (before + len(plain)) * 8 % 5 != 0


_MARK: Final = " (encoded)"
"""Ends what stands for a secret in a form that a shell cannot make of its variable."""


def _encoded(shown: str) -> str:
    """Return what stands for an encoded secret: its variable, and that it is encoded."""
    if shown.endswith(_MARK):
        return shown
    variable = _VARIABLE.match(shown)
    return f"${variable[1]}{_MARK}" if variable else f"{shown}{_MARK}"


@lru_cache(64)
def _recogniser(known: tuple[tuple[str, str], ...]) -> SecretRecogniser:
    return SecretRecogniser(dict(known))


def recogniser_of(known: Mapping[str, str]) -> SecretRecogniser:
    """Return the recogniser of these secrets, which is made once: a run asks for the same ones again and again."""
    return _recogniser(tuple(known.items()))


__all__ = ["SHORTEST_SECRET", "SecretRecogniser", "recogniser_of"]
