"""Reading from a channel, over a scripted socket: how much, how often, who holds it, what the end means.

Owns    the promises of the read loop, read(), the inbox and the end of input.
Never   a real socket.
Always  events are compared in order."""

import asyncio
import errno
import logging
from typing import Any

import pytest

from tests.transport.kit import Echo, Recorder, on_loop, turns
from zbuf.buffer import release
from zbuf.codec import LengthFieldBasedFrameDecoder
from zbuf.errors import ChannelClosedError, CorruptedFrameError, IncompleteFrameError
from zbuf.pipeline import Context, DecoderHandler, Handler
from zbuf.testing import ScriptedSocket
from zbuf.transport import ChannelOptions

BLOCK = ScriptedSocket.BLOCK
SMALL = ChannelOptions(receive_min=4, receive_initial=4, receive_max=4)


def frames() -> DecoderHandler:
    """A decoder of one-byte length fields."""
    return DecoderHandler(LengthFieldBasedFrameDecoder(100, 0, 1, 0, 1))


def test_a_short_read_ends_the_wake_up_without_another_call() -> None:
    """A receive that did not fill its block is not followed by one that would only say "nothing there"."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=SMALL)
        sock.readable(b"abcd", b"ef", b"ghi")
        assert ["active", "read", "read", "complete"] == seen.events
        assert ["recv", "recv"] == [call.name for call in sock.calls]
        channel.close()

    on_loop(main)


def test_reads_per_wakeup_are_bounded() -> None:
    """One channel receives so often per wake-up; what is left over comes with the next."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(recv=[b"x" * 1000])
        options = ChannelOptions(receive_min=4, receive_initial=4, receive_max=4, reads_per_wakeup=5)
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=options)
        sock.readable()
        assert 20 == len(seen.received)
        assert ["active", *["read"] * 5, "complete"] == seen.events
        sock.readable()
        assert 40 == len(seen.received)
        channel.close()

    on_loop(main)


def test_nothing_there_is_no_event() -> None:
    """A spurious readiness costs one receive and fires nothing."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen))
        sock.readable(BLOCK)
        assert ["active"] == seen.events
        assert "r" == sock.interest
        channel.close()

    on_loop(main)


def test_received_blocks_come_from_the_allocator_and_go_back() -> None:
    """A receive leases one block of the pool, and the pool has it back when the message is released."""

    async def main() -> None:
        from zbuf.buffer import Pool

        pool = Pool()
        sock = ScriptedSocket()
        channel = sock.channel(
            lambda channel: channel.pipeline.add_last(Recorder()), options=ChannelOptions(allocator=pool)
        )
        sock.readable(b"one")
        sock.readable(b"two")
        stats = pool.statistics()
        assert (0, 1) == (stats.live_blocks, stats.hits)
        channel.close()

    on_loop(main)


def test_a_handler_that_closes_stops_the_reading() -> None:
    """After close() inside channel_read nothing further is received."""

    async def main() -> None:
        seen = Recorder(lambda name, ctx, what: ctx.close() if name == "read" else None)
        sock = ScriptedSocket()
        sock.channel(lambda channel: channel.pipeline.add_last(seen), options=SMALL)
        sock.readable(b"abcd", b"efgh")
        await turns()
        assert ["active", "read", "complete", "inactive", "removed"] == seen.events
        assert 1 == sock.closed

    on_loop(main)


def test_b168_each_read_gives_one_receive_with_auto_read_off() -> None:
    """Nothing is received before read(), and one receive after it, however much is there."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(recv=[b"abcd", b"efgh"])
        options = ChannelOptions(receive_min=4, receive_initial=4, receive_max=4, auto_read=False)
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=options)
        assert "" == sock.interest
        sock.readable()
        assert b"" == bytes(seen.received)
        channel.read()
        assert "r" == sock.interest
        sock._recv.appendleft(BLOCK)
        sock.readable()
        assert "r" == sock.interest, "nothing came of it: the request stands"
        sock._recv.appendleft(InterruptedError(errno.EINTR, "interrupted"))
        sock.readable()
        assert b"abcd" == bytes(seen.received)
        assert "" == sock.interest
        channel.read()
        sock.readable()
        assert b"abcdefgh" == bytes(seen.received)
        channel.close()

    on_loop(main)


def test_b168_each_read_gives_one_message_of_a_decoder() -> None:
    """Three frames in one receive come out one per read(); a part of a frame asks again by itself."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(recv=[b"\x01a\x01b\x01c\x02d", BLOCK, b"e"])

        def init(channel: Any) -> None:
            channel.pipeline.add_last(frames())
            channel.pipeline.add_last(seen)

        channel = sock.channel(init, options=ChannelOptions(auto_read=False))
        for expected in (b"a", b"ab", b"abc"):
            channel.read()
            await turns()
            sock.readable()
            assert expected == bytes(seen.received)
            await turns()
            assert expected == bytes(seen.received)
        channel.read()
        await sock.settle()
        assert b"abcde" == bytes(seen.received)
        assert "" == sock.interest
        channel.close()

    on_loop(main)


def test_auto_read_can_be_switched_while_open() -> None:
    """Off: nothing more is received; on again: reading goes on."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=SMALL)
        channel.auto_read = False
        assert "" == sock.interest
        channel.auto_read = True
        assert "r" == sock.interest
        sock.readable(b"abcd", b"efgh", b"i")
        assert b"abcdefghi" == bytes(seen.received)
        channel.close()

    on_loop(main)


def test_b169_end_of_input_runs_decoders_once_and_closes() -> None:
    """A cut frame raises IncompleteFrameError after the whole ones, then the channel closes, then inactive."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()

        def init(channel: Any) -> None:
            channel.pipeline.add_last(frames())
            channel.pipeline.add_last(seen)

        channel = sock.channel(init)
        sock.readable(b"\x01a\x05bc")
        sock.readable(b"")
        await turns()
        assert b"a" == bytes(seen.received)
        assert [IncompleteFrameError] == [type(exc) for exc in seen.failures]
        assert ["active", "read", "complete", "exception", "InputShutdown", "inactive", "removed"] == seen.events
        assert not channel.is_open and 1 == sock.closed

    on_loop(main)


def test_half_closure_keeps_the_output_open() -> None:
    """With allow_half_closure the end of input is one event; writes go on; closing comes with shutdown_output."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(recv=[b"q", b""])
        options = ChannelOptions(allow_half_closure=True)
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=options)
        await sock.settle()
        assert ["active", "read", "complete", "InputShutdown"] == seen.events
        assert channel.is_active and "" == sock.interest
        await channel.send(b"reply")
        await channel.shutdown_output()
        assert b"reply" == bytes(sock.sent)
        await channel.wait_closed()
        assert ["inactive", "removed"] == seen.events[-2:]

    on_loop(main)


def test_half_closure_the_other_way_round_closes_with_the_peers_end() -> None:
    """Our output was shut first: the peer's end of input closes the channel, also with allow_half_closure."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(allow_half_closure=True))
        await channel.shutdown_output()
        assert channel.is_active
        sock.readable(b"")
        await channel.wait_closed()

    on_loop(main)


def test_end_of_input_sends_what_is_queued_before_closing() -> None:
    """A peer that shut its sending side still gets its reply, also when it takes it slowly."""

    async def main() -> None:
        sock = ScriptedSocket(send=[3, BLOCK, 2, BLOCK])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(Echo()))
        sock.readable(b"question", b"")
        sock.readable()
        assert not sock.closed
        await sock.settle()
        await channel.wait_closed()
        assert b"question" == bytes(sock.sent)

    on_loop(main)


def test_b167_a_reset_is_not_a_clean_end() -> None:
    """A reset reaches exception_caught, fails what is queued with itself as the cause, and ends the iteration."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen))
        channel.write(b"unsent")
        waiting = asyncio.create_task(channel.flushed())
        await turns()
        sock.readable(errno.ECONNRESET)
        await turns()
        assert [ConnectionResetError] == [type(exc) for exc in seen.failures]
        assert ["active", "exception", "inactive", "removed"] == seen.events
        with pytest.raises(ChannelClosedError) as caught:
            await waiting
        assert isinstance(caught.value.__cause__, ConnectionResetError)

    on_loop(main)


def test_b171_corrupted_frames_close_after_the_messages_before_them() -> None:
    """The good frame is answered, the bad one reported, and the answer still leaves before the channel closes."""

    async def main() -> None:
        seen = Recorder(lambda name, ctx, what: ctx.write(what.upper()) if name == "read" else None)
        sock = ScriptedSocket()

        def init(channel: Any) -> None:
            channel.pipeline.add_last(DecoderHandler(LengthFieldBasedFrameDecoder(100, 0, 1, -3, 1)))
            channel.pipeline.add_last(seen)

        sock.channel(init)
        sock.readable(b"\x05ab\x00zz")
        await turns()
        assert b"ab" == bytes(seen.received)
        assert [CorruptedFrameError] == [type(exc) for exc in seen.failures]
        assert b"AB" == bytes(sock.sent)
        assert 1 == sock.closed

    on_loop(main)


def test_b173_a_failing_handler_is_logged_once_and_closes(caplog: pytest.LogCaptureFixture) -> None:
    """An exception nobody handles: one line, the channel closed, no message left (the leak fixture counts)."""

    class Fails(Handler[Any, Any]):
        def channel_read(self, ctx: Context, msg: Any) -> None:
            raise ValueError("broken handler")

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(Fails()))
        sock.readable(b"x")
        await channel.wait_closed()
        with pytest.raises(ChannelClosedError) as caught:
            await channel.drain()
        assert isinstance(caught.value.__cause__, ValueError)

    with caplog.at_level(logging.WARNING, "zbuf"):
        on_loop(main)
    assert 1 == len(caplog.records)
    assert "broken handler" in caplog.records[0].message
    caplog.clear()  # a record holds the traceback, and with it the frames that had the message


def test_b173_an_unread_message_is_released_and_counted() -> None:
    """What reaches the tail of a channel without inbox goes back to the pool, and the channel counts it."""

    async def main() -> None:
        from zbuf.buffer import Pool

        pool = Pool()
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(allocator=pool))
        sock.readable(b"nobody wants this")
        assert 1 == channel.unread_messages
        assert 0 == pool.statistics().live_blocks
        channel.close()

    on_loop(main)


def test_a_reset_is_noticed_while_reading_is_held() -> None:
    """With auto_read off a reset still closes the channel, with its errno."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=ChannelOptions(auto_read=False))
        sock.hang_up(errno.ECONNRESET)
        await channel.wait_closed()
        assert [ConnectionResetError] == [type(exc) for exc in seen.failures]

    on_loop(main)


def test_a_reset_is_noticed_on_a_half_closed_channel() -> None:
    """After the peer's end of input a reset closes the channel, though nothing is read or written."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b""])
        channel = sock.channel(options=ChannelOptions(allow_half_closure=True))
        await sock.settle()
        assert channel.is_active
        sock.hang_up(errno.ECONNRESET)
        await channel.wait_closed()

    on_loop(main)


def test_an_error_is_noticed_where_a_receive_finds_nothing() -> None:
    """The poller reports an error, the receive says "nothing there": the socket's own error decides."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen))
        sock.hang_up()
        assert channel.is_active, "no error: a stale event"
        sock.hang_up(errno.EHOSTUNREACH)
        await channel.wait_closed()
        assert [errno.EHOSTUNREACH] == [exc.errno for exc in seen.failures if isinstance(exc, OSError)]

    on_loop(main)


def test_an_orderly_hang_up_while_held_does_not_spin_and_loses_nothing() -> None:
    """The poller reports a hang-up again and again: it is silenced, and what is unread is read later."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(recv=[b"last words", b""])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen), options=ChannelOptions(auto_read=False))
        sock.hang_up()
        assert "-" == sock.interest
        channel.auto_read = False
        assert "-" == sock.interest, "holding it again does not wake it"
        assert channel.is_active
        channel.auto_read = True
        assert "r" == sock.interest
        await sock.settle()
        assert b"last words" == bytes(seen.received)
        await channel.wait_closed()

    on_loop(main)


# The inbox.


def test_b176_iteration_yields_the_messages_until_the_end_of_input() -> None:
    """`async for` gets every frame, then stops; the channel closes behind it."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b"\x01a\x02bc", BLOCK, b"\x01d", b""])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(frames()), keeps_messages=True)
        found = []

        async def consume() -> None:
            async for frame in channel:
                found.append(bytes(frame))
                frame.release()

        task = asyncio.create_task(consume())
        await sock.settle()
        await task
        assert [b"a", b"bc", b"d"] == found
        await channel.wait_closed()

    on_loop(main)


def test_b176_a_consumer_that_is_busy_at_the_end_of_input_can_still_reply() -> None:
    """The peer has shut its side while the last message is being handled: the reply goes out, then it closes."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b"q", b""])
        channel = sock.channel(keeps_messages=True, is_accepted=False)

        async def talk() -> None:
            async for msg in channel:
                await turns(5)
                msg.release()
                await channel.send(b"answer")

        task = asyncio.create_task(talk())
        await sock.settle()
        await task
        await channel.wait_closed()
        assert b"answer" == bytes(sock.sent)

    on_loop(main)


def test_b176_cancelling_a_receive_loses_no_message() -> None:
    """A receiver cancelled in the very turn its message comes leaves it for the next one."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(keeps_messages=True)
        first = asyncio.create_task(channel.receive())
        second = asyncio.create_task(channel.receive())
        await turns()
        sock.readable(b"message")
        first.cancel()
        await turns()
        assert first.cancelled()
        assert second.done()
        msg = second.result()
        assert b"message" == bytes(msg)
        msg.release()
        channel.close()

    on_loop(main)


def test_a_full_inbox_pauses_reading_and_goes_on_when_taken() -> None:
    """Backpressure inwards: nothing is received while the application does not take what is there."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b"\x01a" * 8, b"\x01b" * 10])
        channel = sock.channel(
            lambda channel: channel.pipeline.add_last(frames()),
            keeps_messages=True,
            options=ChannelOptions(inbox_limit=8),
        )
        sock.readable()
        assert "" == sock.interest
        for _ in range(6):
            (await channel.receive()).release()
        assert "r" == sock.interest, "a quarter is left"
        sock.readable()
        for expected in (b"a", b"a", *[b"b"] * 10):
            msg = await channel.receive()
            assert expected == bytes(msg)
            msg.release()
        channel.close()

    on_loop(main)


def test_iteration_raises_when_the_channel_failed_after_the_messages_before() -> None:
    """What came before the reset is delivered; then the iteration raises with the reset as its cause."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b"good", BLOCK, errno.ECONNRESET])
        channel = sock.channel(keeps_messages=True)
        found = []
        await sock.settle()
        with pytest.raises(ChannelClosedError) as caught:
            async for msg in channel:
                found.append(bytes(msg))
                msg.release()
        assert [b"good"] == found
        assert isinstance(caught.value.__cause__, ConnectionResetError)

    on_loop(main)


def test_close_gives_back_what_nobody_took() -> None:
    """Messages still in the inbox are released by close(), and the iteration ends."""

    async def main() -> None:
        from zbuf.buffer import Pool

        pool = Pool()
        sock = ScriptedSocket(recv=[b"unwanted"])
        channel = sock.channel(keeps_messages=True, options=ChannelOptions(allocator=pool))
        sock.readable()
        assert 1 == pool.statistics().live_blocks
        async with channel:
            pass
        assert 0 == pool.statistics().live_blocks
        assert [] == [release(msg) async for msg in channel]

    on_loop(main)
