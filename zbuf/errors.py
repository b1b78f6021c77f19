"""Every exception class of zbuf.

Owns    the classes and the numbers they carry.
Never   anything else of zbuf: every room may raise, so this file imports nothing.
Always  the class says whose fault it is (the caller's, the peer's, the world's, ours) and is also the builtin
        exception one expects, so `except IndexError` keeps working. Messages state numbers, never payload bytes.
"""

__all__ = [
    "BoundsError",
    "CapacityError",
    "ChannelClosedError",
    "CorruptedFrameError",
    "DecodeError",
    "DecompressionLimitError",
    "DetachedWarning",
    "EncodeError",
    "FileTruncatedError",
    "IncompleteFrameError",
    "InternalError",
    "LimitExceededError",
    "OutputShutdownError",
    "PipelineError",
    "ReadOnlyError",
    "ReadTimeoutError",
    "ReferenceCountError",
    "TooLongFrameError",
    "UnreleasedWarning",
    "UnsupportedMessageError",
    "UsageError",
    "WriteLimitError",
    "WriteTimeoutError",
    "ZbufError",
]


class ZbufError(Exception):
    """The root of all exceptions that zbuf defines."""


# The caller's fault.


class BoundsError(ZbufError, IndexError):
    """An index or a length lies outside the buffer.

    `requested`: the bytes wanted, or the index asked for; `available`: the bytes there, or the largest legal index;
    `index`: the absolute index of a get or set, None for reads and writes at the buffer's own indices.
    """

    def __init__(self, message: str, *, requested: int, available: int, index: int | None = None) -> None:
        super().__init__(message)
        self.requested = requested
        self.available = available
        self.index = index


class CapacityError(BoundsError):
    """A write needs more room than max_capacity allows; `available` is max_writable_bytes."""

    def __init__(
        self, message: str, *, requested: int, available: int, max_capacity: int, index: int | None = None
    ) -> None:
        super().__init__(message, requested=requested, available=available, index=index)
        self.max_capacity = max_capacity


class ReferenceCountError(ZbufError, RuntimeError):
    """A dead handle was used, or retain and release do not add up.

    `refcnt`: the count found; `change`: what was to be added to it (0 for plain use).
    """

    def __init__(self, message: str, *, refcnt: int, change: int = 0) -> None:
        super().__init__(message)
        self.refcnt = refcnt
        self.change = change


class ReadOnlyError(ZbufError, TypeError):
    """A read-only buffer was to be changed."""


class UsageError(ZbufError, RuntimeError):
    """zbuf was used in a way its documentation forbids (wrong thread, feed inside parse, ...)."""


class EncodeError(ZbufError, ValueError):
    """A message of ours cannot be encoded."""


class UnsupportedMessageError(ZbufError, TypeError):
    """A message of type `message_type` reached a place that cannot take it."""

    def __init__(self, message: str, *, message_type: type) -> None:
        super().__init__(message)
        self.message_type = message_type


class PipelineError(ZbufError, ValueError):
    """A handler's name is taken, or a handler that is not sharable was added twice."""


class WriteLimitError(ZbufError, RuntimeError):
    """A producer ignored backpressure until the outbound queue reached a hard cap.

    `limit` names the cap, `maximum` is its value, `value` what the write would have made of it.
    """

    def __init__(self, message: str, *, limit: str, maximum: int, value: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.maximum = maximum
        self.value = value


# The peer's fault.


class DecodeError(ZbufError, ValueError):
    """The peer's bytes are wrong; `position` is the index of the first wrong byte where that is known."""

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class CorruptedFrameError(DecodeError):
    """The framing itself is broken: what follows in the stream cannot be trusted."""


class LimitExceededError(DecodeError):
    """The peer exceeded a limit: `value` (None where unknown) is greater than `maximum` of the limit named `limit`."""

    def __init__(
        self, message: str, *, limit: str, maximum: int, value: int | None = None, position: int | None = None
    ) -> None:
        super().__init__(message, position=position)
        self.limit = limit
        self.maximum = maximum
        self.value = value


class TooLongFrameError(LimitExceededError):
    """A frame is longer than the decoder accepts."""


class DecompressionLimitError(LimitExceededError):
    """Decompressed output exceeds its limit in bytes or in ratio."""


class IncompleteFrameError(DecodeError):
    """The input ended inside a frame: `buffered` bytes are there, `needed` more were wanted (at least 1)."""

    def __init__(self, message: str, *, buffered: int, needed: int, position: int | None = None) -> None:
        super().__init__(message, position=position)
        self.buffered = buffered
        self.needed = needed


# The world's fault.


class ChannelClosedError(ZbufError, ConnectionError):
    """The channel is closed, or was closed while the message was queued; `__cause__` is the first failure."""

    def __init__(self, message: str = "the channel is closed") -> None:
        super().__init__(message)


class OutputShutdownError(ChannelClosedError):
    """The output side of the channel was shut down by us; input still flows."""

    def __init__(self, message: str = "the output side of the channel is shut down") -> None:
        super().__init__(message)


class ReadTimeoutError(ZbufError, TimeoutError):
    """The peer sent nothing for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing was read for {seconds} seconds")
        self.seconds = seconds


class WriteTimeoutError(ZbufError, TimeoutError):
    """A write was not in the kernel after `seconds`: the peer does not take it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a write did not get away within {seconds} seconds")
        self.seconds = seconds


class FileTruncatedError(ZbufError, OSError):
    """A file is shorter than the region that names it: `transferred` of `count` bytes from `offset` were there."""

    def __init__(self, message: str, *, offset: int, count: int, transferred: int) -> None:
        super().__init__(message)
        self.offset = offset
        self.count = count
        self.transferred = transferred


# Our own fault.


class InternalError(ZbufError, RuntimeError):
    """zbuf made a mistake; never shown as "closed". Please report it."""


# Reports of the leak ledger, which is off unless asked for.


class UnreleasedWarning(ResourceWarning):
    """A buffer was dropped without release(); its place is the line that leased it. No memory is lost by that."""


class DetachedWarning(ResourceWarning):
    """A buffer moved away from memory that others hold: they see no more of its writes, nor it of theirs."""
