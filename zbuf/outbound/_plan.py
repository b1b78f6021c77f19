"""The plans: what the transport is asked to do next.

Owns    the shapes of the answers of `next_write()`, and the contract that goes with each.
Never   a choice between them (see `_planner`), a system call.
Always  a plan is plain values: the transport performs it in its own way and reports back.

The transport asks `next_write()` until it says NOTHING:

* `SendBuffers(views, nbytes, more)`: `send(views[0])` or `sendmsg(views)`, with MSG_MORE when `more`, then
  `queue.sent(n)`. The views are good until then.
* `SendFile(region, offset, count)`: sendfile, or whatever takes its place, then `queue.sent(n)`. n == 0 with bytes
  outstanding is the end of the file: `queue.fail(region.truncated())`, and the channel closes. An OSError before the
  first byte of the region: `queue.fail_entry(exc)`.
* `OpenFile(region)`: the region comes next, or right behind the buffers that come next, and its file was not looked at
  yet. The transport calls `region.fileno()`, then `queue.opened()`; on OSError `queue.fail_entry(exc)`. So a file that
  is not there is found out before anything announces it with MSG_MORE.
* `InlineFile(region, buf)`: a small region is cheaper read than sent. The transport calls `region.read_into(buf)`, then
  `queue.inlined()`, and the bytes leave with those before them in one call. On FileTruncatedError it calls
  `queue.inlined()` all the same: the queue sees that bytes are missing, and the region goes the ordinary way, which
  sends what exists. On any other OSError `queue.fail_entry(exc)`.
"""

from typing import Final, TypeAlias

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.region import FileRegion

__all__ = ["NOTHING", "InlineFile", "Nothing", "OpenFile", "Plan", "SendBuffers", "SendFile"]


@cython.freelist(32)  # here and not in the .pxd, where it would be ignored
@cython.cclass
class SendBuffers:
    """Send `nbytes` bytes that lie in `views`: things that `sock.send` (one) or `sock.sendmsg` (several) take.

    `more`: a region follows at once, so the call carries MSG_MORE.
    Ownership: borrows; the views are good until the queue is told what was sent."""

    __slots__ = ("more", "nbytes", "views")

    def __init__(self, views: list[Buffer], nbytes: int, more: bool) -> None:
        self.views: list[Buffer] = views
        self.nbytes: int = nbytes
        self.more: bool = more

    def __repr__(self) -> str:
        return f"SendBuffers({len(self.views)} views, {self.nbytes} bytes{', more' if self.more else ''})"


class SendFile:
    """Send `count` bytes of the file behind `region` (open, see `region.fileno()`) from byte `offset` of the file."""

    __slots__ = ("count", "offset", "region")

    def __init__(self, region: FileRegion, offset: int, count: int) -> None:
        self.region: FileRegion = region
        self.offset: int = offset
        self.count: int = count

    def __repr__(self) -> str:
        return f"SendFile({self.region!r}, offset={self.offset}, count={self.count})"


class OpenFile:
    """Open the file behind `region` (`region.fileno()`) and say `queue.opened()`."""

    __slots__ = ("region",)

    def __init__(self, region: FileRegion) -> None:
        self.region: FileRegion = region

    def __repr__(self) -> str:
        return f"OpenFile({self.region!r})"


class InlineFile:
    """Read what remains of `region` to the end of `buf` (`region.read_into(buf)`) and say `queue.inlined()`."""

    __slots__ = ("buf", "region")

    def __init__(self, region: FileRegion, buf: ByteBuf) -> None:
        self.region: FileRegion = region
        self.buf: ByteBuf = buf

    def __repr__(self) -> str:
        return f"InlineFile({self.region!r}, {self.buf!r})"


class Nothing:
    """There is nothing to do: nothing is queued, or nothing of it is flushed. Its only instance is NOTHING."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()

Plan: TypeAlias = SendBuffers | SendFile | OpenFile | InlineFile | Nothing


def send_buffers(views: list[Buffer], nbytes: int, more: bool) -> SendBuffers:
    """Return the plan, made without a call of __init__."""
    plan = SendBuffers.__new__(SendBuffers)
    plan.views = views
    plan.nbytes = nbytes
    plan.more = more
    return plan
