"""Every bound of the codecs, finite by default.

Owns    `Limits`: the numbers, their defaults and where each default comes from; what follows from max_frame_length.
Never   what is counted against them; a decoder checks its own input.
Always  every field is positive; 0 never means unlimited. Exceeded means greater than: exactly the limit passes.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass, fields
from typing import ClassVar

from zbuf.errors import TooLongFrameError

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may make a decoder hold, count or produce.

    Units: bytes, unless the name says otherwise. One object is carried to every codec of a channel, so that a limit
    holds for all of them. `Limits.UNLIMITED` spells out that there is none.
    Raises: ValueError for a field that is not positive; TypeError for one that is not an integer.
    Source: the precedents stand beside the fields.

    >>> Limits(max_frame_bytes=64 * 1024).max_line_bytes
    4096
    """

    UNLIMITED: ClassVar[Limits]

    max_frame_bytes: int = 1 << 20  # Netty's JSON decoder, websockets
    max_buffered_bytes: int = 2 << 20  # one frame and what follows it
    max_line_bytes: int = 4096  # Netty's request line
    max_header_bytes: int = 8192  # Netty's header section
    max_header_count: int = 100  # arbitrary
    max_messages_per_feed: int = 10_000  # arbitrary
    max_depth: int = 64  # arbitrary
    max_decompressed_bytes: int = 16 << 20  # arbitrary
    max_ratio: int = 200  # arbitrary; deflate reaches 1028

    def __post_init__(self) -> None:
        for field in fields(self):
            value = operator.index(getattr(self, field.name))
            if value <= 0:
                raise ValueError(f"{field.name} must be positive, not {value}; Limits.UNLIMITED means no limit")


Limits.UNLIMITED = Limits(**{field.name: sys.maxsize for field in fields(Limits)})


def checked_length(name: str, value: int) -> int:
    """Return a length that a caller gave, as an int. Raises: ValueError unless it is positive; TypeError."""
    n = operator.index(value)
    if not 0 < n <= sys.maxsize:
        raise ValueError(f"{name} must be 1..{sys.maxsize}, not {n}")
    return n


def limits_for(longest: int, framing: int = 0) -> Limits:
    """Return the limits of a decoder whose frames have up to `longest` bytes, and `framing` more around them."""
    room = min(longest + framing + Limits().max_frame_bytes, sys.maxsize)
    return Limits(max_frame_bytes=longest, max_buffered_bytes=max(Limits().max_buffered_bytes, room))


def frame_too_long(maximum: int, value: int) -> TooLongFrameError:
    """Return the error for a frame of `value` bytes, or of more, where `maximum` are allowed."""
    return TooLongFrameError(
        f"a frame of at least {value} bytes exceeds max_frame_length {maximum}",
        limit="max_frame_length",
        maximum=maximum,
        value=value,
    )
