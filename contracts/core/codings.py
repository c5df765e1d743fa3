"""The content codings that the judge reads: gzip and deflate (RFC 9110 §8.4.1), alone or one inside of the other."""

from __future__ import annotations

import zlib

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_FORMATS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""Name of a coding → the formats in which its data come: some servers send deflate without the frame that is due."""
_MOST = 5
"""Codings that an answer may have, one inside of the other: more are of no use, and each takes time."""
_MEMBERS = 100
"""Members of a gzip file at most: each costs a copy of the rest."""
_OTHERS = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd"}
)
"""Further registered names; what else a header has for a name may be anything, and is not repeated."""


class Undecodable(ValueError):
    """A body cannot be read; the text is one of few, and says why of "an answer"."""


def decoded(body: bytes, names: str, most: int) -> bytes:
    """Undo the codings that `names` lists as `content-encoding` does, in the order in which they were applied.

    An empty body is empty in every coding.

    Raises:
        Undecodable: a coding is none of these, the body is not in it, or the result has more than `most` bytes.
    """
    codings = [
        name for name in (one.strip().lower() for one in names.split(",")) if name not in ("", "identity")
    ]
    if not body:
        return body
    for name in codings:
        if name not in _FORMATS or len(codings) > _MOST:
            shown = name if name in _FORMATS or name in _OTHERS else "one without a known name"
            raise Undecodable(f"an answer in a content coding that the judge does not read: {shown}")
    for name in reversed(codings):
        body = _undone(body, name, most)
    return body


def _undone(body: bytes, name: str, most: int) -> bytes:
    """Undo one coding, by the first of its formats that the body is in."""
    for wbits in _FORMATS[name]:
        try:
            return _inflated(body, wbits, most)
        except zlib.error:
            continue
    raise Undecodable(f"an answer that is not in the content coding that it names: {name}")


def _inflated(body: bytes, wbits: int, most: int) -> bytes:
    """Inflate data that come in one format, of gzip its members one behind the other (RFC 1952 §2.2).

    Raises:
        zlib.error: the data are not in this format, or end too early or too late.
    """
    whole = bytearray()
    for _ in range(_MEMBERS):
        decoder = zlib.decompressobj(wbits)
        whole += decoder.decompress(body, most + 1 - len(whole))
        if len(whole) > most:
            raise Undecodable(f"an answer of more than {most >> 20} MiB")
        body = decoder.unused_data
        if not decoder.eof or (body and wbits != _GZIP):
            break
        if not body:
            return bytes(whole)
    raise zlib.error


__all__ = ["Undecodable", "decoded"]
