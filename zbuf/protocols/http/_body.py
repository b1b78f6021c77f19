"""Where a message's body ends (RFC 9112 section 6), and which messages have none.

Owns    the rules by which the length of a request's body follows from its header fields.
Never   the bytes of a body.
Always  two readings of one request are a refusal: what somebody else might cut elsewhere is not cut at all.
"""

import re
from collections.abc import Mapping
from typing import Final

from zbuf.errors import CorruptedFrameError

__all__ = ["UNKNOWN_LENGTH", "allows_body", "request_body_length"]

UNKNOWN_LENGTH: Final = -1

# Digits by byte class, at most 18: no sign, no underscore, no list, nothing that overflows 64 bits.
_LENGTH = re.compile(rb"[0-9]{1,18}")


def request_body_length(headers: Mapping[bytes, bytes], version: tuple[int, int]) -> int:
    """Return how many bytes of body follow this head; UNKNOWN_LENGTH when it is `chunked`.

    `headers` has lower-case names and repeated fields joined by commas, so a Content-Length that is sent twice fails
    the test of digits.
    Raises: CorruptedFrameError for a Content-Length that is no number, one beside a Transfer-Encoding, a
    Transfer-Encoding other than `chunked` alone, and any Transfer-Encoding in HTTP/1.0.
    Source: RFC 9112 sections 6.1 to 6.3; the ambiguous cases are all refused.
    """
    coding = headers.get(b"transfer-encoding")
    length = headers.get(b"content-length")
    if coding is not None:
        if length is not None:
            raise CorruptedFrameError("Content-Length beside Transfer-Encoding")
        if version < (1, 1):
            raise CorruptedFrameError("Transfer-Encoding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise CorruptedFrameError(f"Transfer-Encoding of {len(coding)} bytes that is not `chunked` alone")
        return UNKNOWN_LENGTH
    if length is None:
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise CorruptedFrameError(f"Content-Length of {len(length)} bytes that is no number of at most 18 digits")
    return int(length)


def allows_body(status: int) -> bool:
    """Tell whether an answer with this status may have a body (RFC 9110 section 6.4.1)."""
    return status >= 200 and status != 204 and status != 304
