"""Many channels addressed as one: broadcasts that copy nothing.

Owns    the set of members, and what each member gets of a message.
Never   an order among members, or a copy of a payload: each gets a handle of its own on the same memory.
Always  a member that is closed has left; one member's failure is reported for that member and stops nobody else.
"""

from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from zbuf.buffer import ByteBuf, release
from zbuf.region import FileRegion
from zbuf.transport._channel import Channel

__all__ = ["ChannelGroup", "GroupWrite"]

Out = TypeVar("Out")
Member = Channel[Any, Any]


class GroupWrite(Awaitable[dict[Member, Exception]]):
    """The outcome of a broadcast: await it to wait until every member is below its high mark.

    Awaiting returns the members that failed, with their exceptions; it raises none of them."""

    __slots__ = ("_pending", "failures")

    def __init__(self) -> None:
        self.failures: dict[Member, Exception] = {}
        self._pending: list[tuple[Member, Awaitable[None]]] = []

    def __await__(self) -> Generator[Any, None, dict[Member, Exception]]:
        return self._wait().__await__()

    async def _wait(self) -> dict[Member, Exception]:
        pending, self._pending = self._pending, []
        for channel, waiting in pending:
            try:
                await waiting
            except Exception as exc:
                self.failures[channel] = exc
        return self.failures


class ChannelGroup(Generic[Out]):
    """A set of open channels. A channel that closes leaves by itself.

    `Out` is what its members take. All members belong to one event loop and its thread.

    >>> room: ChannelGroup[ByteBuf] = ChannelGroup()
    >>> # in a handler: room.add(ctx.channel); room.write_and_flush(msg)

    Source: Netty ChannelGroup.
    """

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}  # in the order of joining

    def add(self, channel: Channel[Any, Out]) -> bool:
        """Take a channel in, and return whether it is new here; one that is closed is not taken."""
        if channel in self._members or not channel.is_open:
            return False
        self._members[channel] = None
        channel.when_closed(self.discard)
        return True

    def discard(self, channel: Channel[Any, Any]) -> None:
        """Let a channel go; it stays open. No-op for one that is no member."""
        self._members.pop(channel, None)

    def write(self, msg: Out, matching: Callable[[Channel[Any, Out]], bool] | None = None) -> GroupWrite:
        """Write `msg` to every member, or to those that `matching` says yes to.

        Each gets what is its own: a buffer's duplicate on the same memory, a region's share of the same file, a
        message's `duplicate()` where it has such a method, else the message itself.
        Returns: an awaitable that need not be awaited. It waits for the slowest: pass `lambda c: c.is_writable` as
        `matching` to leave those out who do not keep up.
        Ownership: transfers `msg`. Raises: nothing of a member's: also UsageError from another thread is its failure.
        """
        return self._write(msg, matching, flush=False)

    def write_and_flush(self, msg: Out, matching: Callable[[Channel[Any, Out]], bool] | None = None) -> GroupWrite:
        """As `write`, and make it sendable where channels do not flush by themselves."""
        return self._write(msg, matching, flush=True)

    def _write(self, msg: Out, matching: Callable[[Channel[Any, Out]], bool] | None, *, flush: bool) -> GroupWrite:
        outcome = GroupWrite()
        try:
            for channel in list(self._members):
                if matching is None or matching(channel):
                    write = channel.write_and_flush if flush else channel.write
                    try:
                        outcome._pending.append((channel, write(_share(msg))))
                    except Exception as exc:
                        outcome.failures[channel] = exc
        finally:
            release(msg)
        return outcome

    def flush(self) -> None:
        """Flush every member."""
        for channel in list(self._members):
            if channel.is_active:
                channel.flush()

    def close(self) -> None:
        """Close every member now."""
        for channel in list(self._members):
            channel.close()

    async def close_gracefully(self) -> None:
        """Close every member when its queue is drained, all at the same time, and wait for that."""
        members = list(self._members)
        for channel in members:
            channel._begin_closing()
        for channel in members:
            await channel.close_gracefully()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Channel[Any, Out]]:
        return iter(list(self._members))

    def __contains__(self, channel: object) -> bool:
        return channel in self._members

    def __repr__(self) -> str:
        return f"ChannelGroup({len(self._members)} channels)"


def _share(msg: Any) -> Any:
    """Return what one member gets of a message for many."""
    if isinstance(msg, ByteBuf):
        return msg.duplicate()
    if isinstance(msg, FileRegion):
        return msg.retain()
    duplicate = getattr(msg, "duplicate", None)
    return duplicate() if callable(duplicate) else msg
