"""The body of an answer: complete, unpacked, no longer than a summary can be, and as text."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientResponse

MAX_ANSWER_BYTES = 1_000_000
"""The most bytes of an unpacked answer. An answer is a summary; a larger one would fill memory and audit."""
CHUNK_BYTES = 65_536
PACKED = "gzip, deflate"
"""The Accept-Encoding of a call: what :func:`content` can unpack."""


class TooLarge(Exception):
    """The answer is longer than MAX_ANSWER_BYTES."""

    def __init__(self) -> None:
        super().__init__(f"the answer is more than {MAX_ANSWER_BYTES:,} bytes long")


class BrokenOff(Exception):
    """The packed answer ends too early, or cannot be unpacked."""


async def content(response: ClientResponse) -> bytes:
    """Return the whole body, unpacked. Raises TooLarge and BrokenOff.

    The session must not unpack: aiohttp takes the first half of a packed body for the whole.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise TooLarge
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    unpacked = _unpacked(bytes(body), packed) if body else b""
    if len(unpacked) > MAX_ANSWER_BYTES:
        raise TooLarge
    return unpacked


def _unpacked(body: bytes, packed: str) -> bytes:
    """Return the body, or its first MAX_ANSWER_BYTES and one more."""
    try:
        if packed in ("gzip", "x-gzip"):
            return gzip.GzipFile(fileobj=BytesIO(body)).read(MAX_ANSWER_BYTES + 1)
        if packed == "deflate":
            # Some servers leave the header of zlib out.
            whole = zlib.decompressobj(zlib.MAX_WBITS if body[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS)
            unpacked = whole.decompress(body, MAX_ANSWER_BYTES + 1)
            if not whole.eof and len(unpacked) <= MAX_ANSWER_BYTES:
                raise EOFError("the packed answer ends too early")
            return unpacked
    except (EOFError, OSError, zlib.error) as error:
        raise BrokenOff(f"{packed}: {error}") from error
    # A packing that the call did not ask for stays: the text then is no JSON.
    return body


def text(headers: Mapping[str, str], body: bytes) -> str:
    """Return the body as text, by its byte-order mark or the charset of its Content-Type. The default is UTF-8."""
    marked = json.detect_encoding(body)
    named = re.search(r"charset=[\"']?([\w.:-]+)", headers.get("Content-Type", ""), re.IGNORECASE)
    try:
        return body.decode(named[1] if named and marked == "utf-8" else marked)
    except (LookupError, ValueError):
        return body.decode("utf-8", errors="replace")
