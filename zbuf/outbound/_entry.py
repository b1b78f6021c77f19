"""One message that waits to be sent, or one piece of it.

Owns    what an entry holds (a buffer's handle, bytes, a region) until it is sent or given up, and its promise.
Never   the order of entries, the flush mark, a count over several of them.
Always  `left` bytes are still to be sent; what was taken is let go exactly once. A composite becomes one entry for each
        of its components, so every entry lies in one piece; the last one carries the promise and the overhead.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
from zbuf._types import WritePromise
from zbuf.audit._bill import CopyReason
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.errors import UnsupportedMessageError
from zbuf.region import FileRegion

__all__ = ["Entry", "make_entry", "snapshot"]

PIECE = 0  # contiguous bytes: `buf`, or `other` (bytes, or a view of what is left of them)
JOINED = 1  # its bytes lie in a scratch buffer, `buf`, that its neighbours share; they end at `end`
FILE = 2  # a region, `other`
EMPTY = 3  # nothing to send: it completes in its turn

UNKNOWN = 2**63 - 1  # stands for what is left of a region whose size is unknown: it never completes

SNAPSHOT = int(CopyReason.SNAPSHOT)


@cython.freelist(256)  # here and not in the .pxd, where it would be ignored
@cython.cclass
class Entry:
    """What waits at one place of the queue."""

    __slots__ = (
        "buf",
        "charge",
        "direct",
        "end",
        "error",
        "is_file",
        "is_last",
        "is_open",
        "is_part",
        "is_unknown",
        "kind",
        "left",
        "other",
        "promise",
        "size",
    )

    buf: ByteBuf | None
    other: object
    promise: WritePromise | None
    error: BaseException | None
    kind: int
    size: int  # as taken
    left: int
    end: int  # JOINED: where its bytes end in the scratch buffer
    charge: int  # what it adds to the pending bytes besides its own
    is_part: bool  # more entries of the same message follow
    is_last: bool  # JOINED: the last one of its scratch buffer, which goes with it
    is_file: bool  # its bytes are counted as a region's
    is_open: bool  # FILE: opened, its size is known
    is_unknown: bool  # FILE: reaches to the end of a file that was not opened yet
    direct: bool  # FILE: too long, or found too short, to be read into a buffer

    def let_go(self) -> None:
        """Release what was taken. May run foreign code (the end of somebody's memory), so it comes last."""
        buf, other = self.buf, self.other
        self.buf = None
        self.other = None
        if buf is not None:
            if self.kind != JOINED or self.is_last:
                buf.release()
        elif self.kind == FILE and isinstance(other, FileRegion):
            other.release()

    def __repr__(self) -> str:
        kind = ("piece", "joined", "file", "empty")[self.kind]
        return f"Entry({kind}, {self.left} of {self.size} left)"


def make_entry(kind: int, buf: ByteBuf | None, other: object, size: int, promise: WritePromise | None) -> Entry:
    """Return an entry of `size` bytes, all of them left."""
    entry = Entry.__new__(Entry)
    entry.kind = kind
    entry.buf = buf
    entry.other = other
    entry.promise = promise
    entry.size = size
    entry.left = size
    if not cython.compiled:  # compiled, the fields of a new object are None, 0 and False
        entry.error = None
        entry.end = entry.charge = 0
        entry.is_part = entry.is_last = entry.is_file = entry.is_open = False
        entry.is_unknown = entry.direct = False
    return entry


def snapshot(msg: object) -> bytes:
    """Copy a bytes-like object: its owner may change it later. Billed as SNAPSHOT.

    Raises: UnsupportedMessageError if it is none, BufferError if it is not C-contiguous."""
    try:
        view = memoryview(msg)  # type: ignore[arg-type]  # any object: the TypeError is the test
    except TypeError:
        raise UnsupportedMessageError(
            f"a message of type {type(msg).__name__} cannot be sent: buffers, bytes and regions can",
            message_type=type(msg),
        ) from None
    if not view.c_contiguous:
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    copy = view.tobytes()
    charge(SNAPSHOT, len(copy))
    return copy
