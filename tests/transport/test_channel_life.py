"""How a channel begins and ends, over a scripted socket.

Owns    the promises of close, close_gracefully, wait_closed, shutdown_output, the context manager and the finaliser.
Never   a real socket.
Always  events are compared in order, and every close is counted."""

import asyncio
import copy
import errno
import gc
import logging
import pickle
import warnings
from typing import Any

import pytest

from tests import loops
from tests.transport.kit import Promise, Recorder, on_loop, turns
from zbuf.errors import ChannelClosedError, OutputShutdownError, UsageError
from zbuf.pipeline import Context, Handler
from zbuf.testing import ScriptedSocket
from zbuf.transport import ChannelOptions

BLOCK = ScriptedSocket.BLOCK


def test_b167_close_fails_what_is_queued_then_inactive_once() -> None:
    """Every promise fails with ChannelClosedError in order, the socket closes once, then channel_inactive once."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen))
        promises = [Promise() for _ in range(3)]
        for promise in promises:
            channel.pipeline.write(b"queued", promise)
        await turns()
        channel.close()
        assert [1, 1, 1] == [len(promise.failures) for promise in promises]
        assert all(isinstance(promise.failures[0], ChannelClosedError) for promise in promises)
        channel.close()
        await channel.wait_closed()
        assert ["active", "inactive", "removed"] == seen.events
        assert 1 == sock.closed
        assert not channel.is_open and not channel.is_writable

    on_loop(main)


def test_close_sends_what_was_written_in_the_same_turn_if_the_peer_takes_it() -> None:
    """`await send(x)` followed by close() loses nothing that a system call could have taken."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        await channel.send(b"last words")
        channel.close()
        assert b"last words" == bytes(sock.sent)
        await channel.wait_closed()

    on_loop(main)


def test_close_inside_a_handler_tells_inactive_after_the_event() -> None:
    """channel_inactive never arrives inside another event of the same channel."""

    async def main() -> None:
        depth: list[str] = []

        class Closes(Handler[Any, Any]):
            def channel_read(self, ctx: Context, msg: Any) -> None:
                depth.append("in")
                ctx.close()
                depth.append("out")

            def channel_inactive(self, ctx: Context) -> None:
                depth.append("inactive")

        sock = ScriptedSocket()
        sock.channel(lambda channel: channel.pipeline.add_last(Closes()))
        sock.readable(b"x")
        assert ["in", "out", "inactive"] == depth

    on_loop(main)


def test_b167_close_gracefully_sends_all_first() -> None:
    """What is queued goes out, also slowly; then the channel closes; writes meanwhile fail."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel()
        channel.write(b"everything")
        await turns()
        closing = asyncio.create_task(channel.close_gracefully())
        await turns()
        assert channel.is_open and not channel.is_active
        assert "w" == sock.interest, "nothing more is received"
        with pytest.raises(ChannelClosedError):
            await channel.write(b"too late")
        sock.writable(4)
        sock.writable()
        await closing
        assert b"everything" == bytes(sock.sent)
        assert 1 == sock.closed

    on_loop(main)


def test_close_gracefully_gives_up_at_the_timer() -> None:
    """A peer that takes nothing is waited for as long as close_timeout; then the rest fails with TimeoutError."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(options=ChannelOptions(close_timeout=0.02))
        promise = Promise()
        channel.pipeline.write(b"never taken", promise)
        await turns()
        await channel.close_gracefully()
        assert isinstance(promise.failures[0].__cause__, TimeoutError)
        assert 1 == sock.closed

    on_loop(main)


def test_close_gracefully_reads_what_is_left_so_that_the_close_is_no_reset() -> None:
    """Bytes the peer sent before it saw our end are thrown away before the socket closes."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[b"unasked", b"for"])
        channel = sock.channel(options=ChannelOptions(auto_read=False))
        channel.write(b"bye")
        await channel.close_gracefully()
        assert ["send", "recv", "recv", "recv"] == [call.name for call in sock.calls]

    on_loop(main)


def test_cancelling_close_gracefully_does_not_stop_the_closing() -> None:
    """Who waits may be cancelled; the queue is drained all the same."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel()
        channel.write(b"rest")
        await turns()
        closing = asyncio.create_task(channel.close_gracefully())
        await turns()
        closing.cancel()
        await turns()
        sock.writable()
        await channel.wait_closed()
        assert b"rest" == bytes(sock.sent)

    on_loop(main)


def test_b176_leaving_the_context_closes_gracefully_and_an_exception_closes_now() -> None:
    """The end of `async with` drains; an exception in it does not wait for the peer."""

    async def main() -> None:
        sock = ScriptedSocket()
        async with sock.channel() as channel:
            channel.write(b"drained")
        assert not channel.is_open
        assert b"drained" == bytes(sock.sent)
        stuck = ScriptedSocket(send=[BLOCK])
        with pytest.raises(ZeroDivisionError):
            async with stuck.channel() as channel:
                channel.write(b"stuck")
                await turns()
                raise ZeroDivisionError
        assert 1 == stuck.closed

    on_loop(main)


def test_shutdown_output_drains_then_tells_the_peer_and_input_goes_on() -> None:
    """What is queued goes first; later writes raise OutputShutdownError; reading continues; twice is a no-op."""

    async def main() -> None:
        seen = Recorder()
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(lambda channel: channel.pipeline.add_last(seen))
        channel.write(b"final")
        await turns()
        waiting = asyncio.ensure_future(_wait(channel.shutdown_output()))
        channel.shutdown_output()
        await turns()
        assert [] == sock.shutdowns and not waiting.done()
        with pytest.raises(OutputShutdownError):
            await channel.write(b"more")
        sock.writable()
        await waiting
        assert 1 == len(sock.shutdowns)
        assert b"final" == bytes(sock.sent)
        sock.readable(b"still read")
        assert b"still read" == bytes(seen.received)
        sock.readable(b"")
        await channel.wait_closed()

    on_loop(main)


async def _wait(awaitable: Any) -> None:
    await awaitable


def test_what_is_written_before_the_start_leaves_after_channel_active() -> None:
    """The initializer and channel_active may write; one call sends both, in order."""

    async def main() -> None:
        seen = Recorder(lambda name, ctx, what: ctx.write(b" and active") if name == "active" else None)
        sock = ScriptedSocket()

        def init(channel: Any) -> None:
            channel.pipeline.add_last(seen)
            channel.write(b"greeting")

        channel = sock.channel(init)
        assert b"greeting and active" == bytes(sock.sent)
        assert 1 == len(sock.calls)
        channel.close()
        await channel.wait_closed()

    on_loop(main)


def test_what_fails_after_the_close_is_no_second_line(caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises in channel_read and again in channel_inactive is reported once."""

    class FailsTwice(Handler[Any, Any]):
        def channel_read(self, ctx: Context, msg: Any) -> None:
            raise ValueError("first")

        def channel_inactive(self, ctx: Context) -> None:
            raise ValueError("second")

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(FailsTwice()))
        sock.readable(b"x")
        await channel.wait_closed()

    with caplog.at_level(logging.INFO, "zbuf"):
        on_loop(main)
    assert ["first" in record.message for record in caplog.records] == [True]
    caplog.clear()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_no_exception_passes_through_and_leaves_the_channel_usable(failure: type[BaseException]) -> None:
    """KeyboardInterrupt and its like leave the wake-up; the account, the flush and the poller are as before."""

    async def main() -> None:
        from zbuf.audit import _meter

        def interrupt(name: str, ctx: Context, what: Any) -> None:
            if name == "read" and what == b"bad":
                ctx.write(b"reply")
                raise failure

        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(Recorder(interrupt)))
        with pytest.raises(failure):
            sock.readable(b"bad")
        previous = _meter.enter(None)
        assert previous is None, "the channel's account is not current any more"
        sock.readable(b"good")
        assert b"reply" == bytes(sock.sent)
        channel.close()
        await channel.wait_closed()

    on_loop(main)


def test_a_mistake_of_ours_in_an_event_ends_this_channel_only(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that escapes from an event is logged and closes the channel; the poller goes on."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[RuntimeError("not an OSError")])  # no socket raises this
        channel = sock.channel()
        sock.readable()
        await channel.wait_closed()
        with pytest.raises(ChannelClosedError) as caught:
            await channel.drain()
        assert isinstance(caught.value.__cause__, RuntimeError)

    with caplog.at_level(logging.ERROR, "zbuf"):
        on_loop(main)
    assert 1 == len(caplog.records)
    caplog.clear()  # a record holds the traceback, and with it the block in its frames


def test_a_channel_left_open_by_its_loop_says_so_when_collected() -> None:
    """A ResourceWarning, and the descriptor is closed."""
    sock = ScriptedSocket()

    async def main() -> None:
        sock.channel()

    loops.run(main(), "stock")
    sock.poller = sock._channel = None
    with pytest.warns(ResourceWarning, match="unclosed"):
        gc.collect()
    assert 1 == sock.closed


@pytest.mark.parametrize("name", ["close", "flush", "read", "shutdown_output", "write"])
def test_a_channel_of_a_closed_loop_refuses_calls_and_closes(name: str) -> None:
    """After the loop is closed the first call is a UsageError and closes the channel; nobody is left waiting."""
    sock = ScriptedSocket(send=[BLOCK])
    promise = Promise()

    async def main() -> Any:
        channel = sock.channel(options=ChannelOptions(auto_read=False), keeps_messages=True)
        channel.pipeline.write(b"queued", promise)
        waiting.append(asyncio.create_task(channel.receive()))
        await turns()
        waiting[0].cancel()
        return channel

    waiting: list[Any] = []
    channel = loops.run(main(), "stock")
    for _ in range(2):
        with pytest.raises(UsageError):
            channel.write(b"nobody") if name == "write" else getattr(channel, name)()
        assert not channel.is_open and 1 == sock.closed
    assert 1 == promise.outcomes == len(promise.failures)


def test_a_closed_channel_is_collected_in_silence() -> None:
    """No warning and no cycle that outlives a collection."""

    async def main() -> None:
        import weakref

        sock = ScriptedSocket()
        channel = sock.channel(lambda channel: channel.pipeline.add_last(Recorder()))
        gone = weakref.ref(channel)
        channel.close()
        await channel.wait_closed()
        sock.poller = sock._channel = None
        del channel
        gc.collect()
        assert gone() is None

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        on_loop(main)


def test_a_reset_in_the_middle_of_a_graceful_close_fails_the_rest() -> None:
    """The first cause is the reset, not the close."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel()
        promise = Promise()
        channel.pipeline.write(b"rest", promise)
        await turns()
        closing = asyncio.create_task(channel.close_gracefully())
        await turns()
        sock.writable(BrokenPipeError(errno.EPIPE, "gone"))
        await closing
        assert isinstance(promise.failures[0].__cause__, BrokenPipeError)

    on_loop(main)


def test_a_channel_cannot_be_copied_or_pickled() -> None:
    """It stands for an open connection."""

    async def main() -> None:
        channel = ScriptedSocket().channel()
        with pytest.raises(TypeError):
            pickle.dumps(channel)
        with pytest.raises(TypeError):
            copy.copy(channel)
        channel.close()
        await channel.wait_closed()

    on_loop(main)


def test_the_bill_counts_what_the_channel_moved() -> None:
    """Received and sent bytes and system calls of this channel, and nothing of another one."""

    async def main() -> None:
        sock, other = ScriptedSocket(), ScriptedSocket()
        channel, stranger = sock.channel(), other.channel()
        sock.readable(b"12345")
        await channel.send(b"abc")
        await stranger.send(b"other")
        await turns()
        bill = channel.bill
        assert (5, 3) == (bill.wire_in, bill.wire_out)
        assert {"recv": 1, "send": 1} == {name: move.calls for name, move in bill.kernel.items()}
        channel.close()
        stranger.close()
        await channel.wait_closed()

    on_loop(main)
