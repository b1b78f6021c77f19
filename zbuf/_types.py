"""Protocols and aliases that cross rooms.

Owns    the types by which a lower room may be called back from a higher one without knowing it.
Never   an implementation; it imports nothing of zbuf when the program runs.
Always  what stands here is structural: any object of the right shape will do.
"""

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
    else:
        from typing_extensions import Buffer
elif sys.version_info >= (3, 12):
    from collections.abc import Buffer
else:
    Buffer = Any

__all__ = ["Buffer", "SupportsDLPack", "SupportsReadinto", "SupportsWrite", "WritePromise"]


class WritePromise(Protocol):
    """Somebody who wants to know how a write ended. Exactly one of the two is called, once."""

    def succeed(self) -> None:
        """Every byte of the write is in the kernel."""

    def fail(self, exc: BaseException) -> None:
        """The write failed, or was given up, because of `exc`."""


class SupportsWrite(Protocol):
    """A stream that takes bytes: a binary file, a `BytesIO`, a `GzipFile`."""

    def write(self, data: memoryview, /) -> int | None:
        """Take bytes and return how many; None when none can be taken just now. Text streams do not fit."""


class SupportsReadinto(Protocol):
    """A stream that gives bytes: a binary file, a `BytesIO`, a `GzipFile`."""

    def readinto(self, target: memoryview, /) -> int | None:
        """Put bytes into `target` and return how many: 0 at the end; None when there are none just now."""


class SupportsDLPack(Protocol):
    """An array or tensor of any library that speaks DLPack (https://dmlc.github.io/dlpack/latest/)."""

    def __dlpack__(self) -> Any:
        """Return a capsule with its memory."""

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the kind of device that has the memory, and which one of them; (1, 0) is the CPU."""
