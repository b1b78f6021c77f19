"""Groups of channels, typed attributes, futures of writes, callbacks of the close.

Owns    ChannelGroup, AttributeKey, write_future, when_closed.
Never   a real socket.
Always  copies are counted where the promise is that there are none."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.transport.kit import on_loop, turns
from zbuf import ByteBuf, FileRegion, buffer, copied
from zbuf.audit import CopyReason
from zbuf.errors import ChannelClosedError, ReferenceCountError, UnsupportedMessageError
from zbuf.pipeline import Context, Handler
from zbuf.testing import ScriptedSocket
from zbuf.transport import AttributeKey, Channel, ChannelGroup, ChannelOptions


def open_channels(count: int, **options: Any) -> tuple[list[ScriptedSocket], list[Channel[Any, Any]]]:
    """So many channels over scripted sockets."""
    socks = [ScriptedSocket() for _ in range(count)]
    return socks, [sock.channel(**options) for sock in socks]


def test_group_broadcast_shares_one_payload() -> None:
    """Each member sends the same bytes from the same memory; the message is taken; nothing is copied."""

    async def main() -> None:
        socks, channels = open_channels(3)
        group: ChannelGroup[ByteBuf] = ChannelGroup()
        assert [group.add(channel) for channel in channels] == [True] * 3
        assert not group.add(channels[0]) and len(group) == 3
        payload = buffer(65536)
        payload.write_bytes(bytes(range(256)) * 256)
        before = channels[0].bill
        failures = await group.write_and_flush(payload)
        with pytest.raises(ReferenceCountError):
            payload.read_byte()
        await turns()
        assert failures == {}
        assert [bytes(sock.sent) for sock in socks] == [bytes(range(256)) * 256] * 3
        copies = (channels[0].bill - before).user
        assert not copies or all(count.nbytes == 0 for count in copies.values())
        assert CopyReason.COPY not in copies
        group.close()
        await turns()
        assert len(group) == 0 and not any(channel.is_open for channel in channels)

    on_loop(main)


def test_group_members_leave_when_they_close_and_failures_are_theirs() -> None:
    """A closed channel is no member; a member whose pipeline refuses the message does not stop the others."""

    class Refuses(Handler[Any, Any]):
        def write(self, ctx: Context, msg: Any, promise: Any) -> None:
            raise UnsupportedMessageError("not here", message_type=type(msg))

    async def main() -> None:
        socks, channels = open_channels(3)
        group: ChannelGroup[bytes] = ChannelGroup()
        for channel in channels:
            group.add(channel)
        channels[1].close()
        await turns()
        assert channels[1] not in group and len(group) == 2
        assert not group.add(channels[1])
        channels[0].pipeline.add_last(Refuses())
        failures = await group.write(b"news")
        await turns()
        assert list(failures) == [channels[0]] and isinstance(failures[channels[0]], UnsupportedMessageError)
        assert bytes(socks[2].sent) == b"news" and bytes(socks[0].sent) == b""
        group.discard(channels[2])
        group.discard(channels[2])
        assert list(group) == [channels[0]] and channels[2].is_open
        for channel in channels:
            channel.close()

    on_loop(main)


def test_group_regions_messages_and_choice() -> None:
    """Regions and messages with a duplicate() are shared out; `matching` chooses the members."""

    @dataclass
    class Message:
        content: ByteBuf
        shares: list[int]

        def duplicate(self) -> Message:
            self.shares.append(1)
            return replace(self, content=self.content.duplicate())

    class Encodes(Handler[Any, Any]):
        def write(self, ctx: Context, msg: Any, promise: Any) -> None:
            ctx.write(msg.content if isinstance(msg, Message) else msg, promise)

    async def main() -> None:
        socks, channels = open_channels(2)
        group: ChannelGroup[Any] = ChannelGroup()
        for channel in channels:
            channel.pipeline.add_last(Encodes())
            group.add(channel)
        message = Message(copied(b"typed"), [])
        group.write(message)
        message.content.release()
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"of a file")
            file.flush()
            region = FileRegion(file.name)
            group.write(region)
            group.write(b"one", matching=lambda channel: channel is channels[1])
            await turns()
        assert len(message.shares) == 2
        assert bytes(socks[0].sent) == b"typedof a file" and bytes(socks[1].sent) == b"typedof a fileone"
        assert region.refcnt == 0
        await group.close_gracefully()
        assert len(group) == 0

    on_loop(main)


def test_attributes_are_typed_by_their_key() -> None:
    """Keys are equal only to themselves; other keys work as in a dict."""
    user: AttributeKey[str] = AttributeKey("user")
    other: AttributeKey[str] = AttributeKey("user")

    async def main() -> None:
        _, (channel,) = open_channels(1)
        channel.attributes[user] = "ann"
        channel.attributes["plain"] = 1
        assert channel.attributes[user] == "ann" and channel.attributes.get(other) is None
        assert channel.attributes.get(other, "nobody") == "nobody" and channel.attributes["plain"] == 1
        with pytest.raises(KeyError):
            channel.attributes[other]
        assert repr(user) == "AttributeKey('user')"
        channel.close()

    on_loop(main)


def test_b158_write_future_cancelled_before_the_flush_withdraws_the_message() -> None:
    """Cancelled before it is flushed, a write disappears and its message is released; later it has no effect."""

    async def main() -> None:
        (sock,), (channel,) = open_channels(1, options=ChannelOptions(auto_flush=False))
        kept = copied(b"withdrawn").retain()
        first = channel.write_future(kept)
        second = channel.write_future(b"sent")
        third = channel.write_future(b", also this")
        first.cancel()
        await turns()
        assert kept.refcnt == 1 and kept.release() and channel.pending_bytes == 4 + 11 + 2 * 96
        sock.will_take(4, ScriptedSocket.BLOCK)
        channel.flush()
        third.cancel()  # too late
        await sock.settle()
        assert bytes(sock.sent) == b"sent, also this"
        assert second.done() and second.result() is None and third.cancelled()
        channel.close()

    on_loop(main)


def test_write_future_fails_with_the_channel() -> None:
    """On a closed channel, or one that closes first, the future fails with ChannelClosedError; the message is gone."""

    async def main() -> None:
        _, (channel,) = open_channels(1, options=ChannelOptions(auto_flush=False))
        waiting = channel.write_future(b"never flushed")
        channel.close()
        with pytest.raises(ChannelClosedError):
            await waiting
        buf = copied(b"late")
        late = channel.write_future(buf)
        with pytest.raises(ReferenceCountError):
            buf.read_byte()
        with pytest.raises(ChannelClosedError):
            await late

    on_loop(main)


def test_write_future_of_a_message_nobody_takes_fails() -> None:
    """What the pipeline raises comes out of the future."""

    async def main() -> None:
        _, (channel,) = open_channels(1)
        with pytest.raises(UnsupportedMessageError):
            await channel.write_future(object())
        channel.close()

    on_loop(main)


def test_when_closed_calls_once_after_the_handlers_and_also_late(caplog: pytest.LogCaptureFixture) -> None:
    """The callback comes after channel_inactive; asked for on a closed channel it comes at once; errors are logged."""
    order: list[str] = []

    class Notes(Handler[Any, Any]):
        def channel_inactive(self, ctx: Context) -> None:
            order.append("inactive")

    async def main() -> None:
        _, (channel,) = open_channels(1)
        channel.pipeline.add_last(Notes())

        def fails(_: object) -> None:
            raise ValueError("of the callback")

        channel.when_closed(fails)
        channel.when_closed(lambda closed: order.append("closed" if closed is channel else "?"))
        channel.close()
        await turns()
        channel.when_closed(lambda _: order.append("late"))
        await asyncio.sleep(0)

    on_loop(main)
    assert order == ["inactive", "closed", "late"]
    assert "a callback of its close failed" in caplog.text


def test_handlers_timers_and_tasks_run_as_events_of_the_channel() -> None:
    """A timer's writes leave at its end; an exception of a timer or a task reaches exception_caught."""
    caught: list[str] = []

    class Beats(Handler[Any, Any]):
        def channel_active(self, ctx: Context) -> None:
            ctx.call_later(0.001, lambda: ctx.write(b"beat"))
            ctx.call_later(0.002, self._fails)
            ctx.run(self._task())
            ctx.call_later(60, self._fails).cancel()

        def _fails(self) -> None:
            raise ValueError("timer")

        async def _task(self) -> None:
            raise ValueError("task")

    class Catches(Handler[Any, Any]):
        def exception_caught(self, ctx: Context, exc: Exception) -> None:
            caught.append(str(exc))

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(lambda made: (made.pipeline.add_last(Beats()), made.pipeline.add_last(Catches())))
        await asyncio.sleep(0.05)
        assert bytes(sock.sent) == b"beat"
        assert sorted(caught) == ["task", "timer"]
        channel.close()

    on_loop(main)
