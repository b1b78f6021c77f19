"""Writing to a channel, over a scripted socket: what is taken, what is sent, who waits.

Owns    the promises of write, flush, drain, flushed and send.
Never   a real socket.
Always  the bytes on the wire are compared whole."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from tests.transport.kit import Promise, Recorder, on_loop, turns
from zbuf.audit import CopyReason
from zbuf.buffer import buffer, wrap
from zbuf.errors import ChannelClosedError, ReferenceCountError, UnsupportedMessageError, WriteLimitError
from zbuf.testing import ScriptedSocket
from zbuf.transport import ChannelOptions

BLOCK = ScriptedSocket.BLOCK
MSG_NOSIGNAL = socket.MSG_NOSIGNAL


def filled(data: bytes) -> Any:
    """A plain buffer with these bytes."""
    buf = buffer(len(data))
    buf.write_bytes(data)
    return buf


def test_b160_write_takes_the_buffer_at_the_call() -> None:
    """After write() the handle is dead before anything is awaited, and its bytes reach the wire."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        buf = filled(b"moved")
        channel.write(buf)
        with pytest.raises(ReferenceCountError):
            buf.read_byte()
        await turns()
        assert b"moved" == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_b160_write_retained_handle_lives_and_its_indices_do_not_matter() -> None:
    """A retained handle survives write(), and moving its indices changes nothing on the wire."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        buf = filled(b"kept alive").retain()
        channel.write(buf)
        buf.skip_bytes(5)
        await turns()
        assert b"kept alive" == bytes(sock.sent)
        assert b"alive" == bytes(buf)
        buf.release()
        channel.close()

    on_loop(main)


def test_b161_write_on_a_closed_channel_releases_and_fails_the_awaitable() -> None:
    """The message is given back, awaiting raises ChannelClosedError with the first cause, not awaiting says nothing."""

    async def main() -> None:
        sock = ScriptedSocket(recv=[errno.ECONNRESET])
        channel = sock.channel()
        sock.readable()
        await turns()
        buf = filled(b"late")
        waiting = channel.write(buf)
        assert 0 == buf.refcnt
        with pytest.raises(ChannelClosedError) as caught:
            await waiting
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        ignored = filled(b"later")
        channel.write(ignored)
        assert 0 == ignored.refcnt

    on_loop(main)


def test_b162_write_waits_above_the_high_mark_until_the_low_mark() -> None:
    """Below the high mark awaiting returns at once; above it, when the peer has taken enough for the low mark."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(options=ChannelOptions(low_water=100, high_water=1000))
        await channel.write(b"x" * 400)
        waiting = asyncio.ensure_future(_wait(channel.write(b"y" * 700)))
        draining = asyncio.create_task(channel.drain())
        await turns()
        assert not waiting.done() and not draining.done() and not channel.is_writable
        sock.writable(900)
        await turns()
        assert not waiting.done(), "292 bytes and an entry are still above the low mark"
        sock.writable()
        await turns()
        assert waiting.done() and draining.done() and channel.is_writable
        assert b"x" * 400 + b"y" * 700 == bytes(sock.sent)
        channel.close()

    on_loop(main)


async def _wait(awaitable: Any) -> None:
    await awaitable


def test_b162_waiting_writers_raise_when_the_channel_fails() -> None:
    """A writer and a drain() that wait are woken with ChannelClosedError, its cause the reset."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(options=ChannelOptions(low_water=0, high_water=10))
        tasks = [asyncio.ensure_future(_wait(channel.write(b"x" * 100))), asyncio.create_task(channel.drain())]
        await turns()
        sock.writable(ConnectionResetError(errno.ECONNRESET, "reset"))
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, ChannelClosedError)
            assert isinstance(outcome.__cause__, ConnectionResetError)

    on_loop(main)


@pytest.mark.parametrize(
    ("limits", "limit"),
    [({"write_limit_bytes": 4000}, "write_limit_bytes"), ({"write_limit_entries": 3}, "write_limit_entries")],
)
def test_b163_a_producer_that_never_waits_meets_the_hard_cap(limits: dict[str, int], limit: str) -> None:
    """Beyond the cap write() raises at the call and releases; what is queued still goes out, the channel lives."""

    async def main() -> None:
        sock = ScriptedSocket(send=[BLOCK])
        channel = sock.channel(options=ChannelOptions(low_water=10, high_water=20, **limits))  # type: ignore[arg-type]  # integers
        refused = None
        for _ in range(100):
            buf = filled(b"z" * 900)
            try:
                channel.write(buf)
            except WriteLimitError as exc:
                refused = exc
                assert 0 == buf.refcnt
                break
        assert refused is not None and limit == refused.limit
        taken = channel.pending_bytes // 996
        assert channel.is_active
        sock.writable()
        await turns()
        sock.writable()
        await turns()
        assert b"z" * 900 * taken == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_b164_bytearray_is_copied_and_bytes_are_not() -> None:
    """write(bytearray) sends the old bytes and bills a SNAPSHOT; write(bytes) bills nothing."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        source = bytearray(b"o" * 5000)
        channel.write(source)
        source[:] = b"n" * 5000
        channel.write(b"b" * 5000)
        await turns()
        assert b"o" * 5000 + b"b" * 5000 == bytes(sock.sent)
        assert {CopyReason.SNAPSHOT: 5000} == {reason: count.nbytes for reason, count in channel.bill.user.items()}
        channel.close()

    on_loop(main)


def test_b165_short_sends_deliver_the_exact_stream() -> None:
    """One byte at a time, nothing at first, nothing after a part, interrupted: the stream is whole, nothing spins."""

    async def main() -> None:
        interrupted = InterruptedError(errno.EINTR, "interrupted")
        script: list[Any] = [BLOCK, 1, BLOCK, interrupted, 1, 2, BLOCK, 3, *[1, BLOCK] * 20]
        sock = ScriptedSocket(send=script)
        channel = sock.channel(options=ChannelOptions(coalesce_below=4))
        channel.write(b"abc")
        channel.write(filled(b"defghijk"))
        channel.write(wrap(b"lm", b"nopqrst", b"u"))
        await sock.settle()
        assert b"abcdefghijklmnopqrstu" == bytes(sock.sent)
        assert "r" == sock.interest, "interest in writing ends with the last byte"
        assert len(sock.calls) < 60
        channel.close()

    on_loop(main)


def test_write_interest_exists_only_while_the_socket_is_full() -> None:
    """Nothing is watched for writing until a send came up short."""

    async def main() -> None:
        sock = ScriptedSocket(send=[None, 2])
        channel = sock.channel()
        channel.write(b"all")
        await turns()
        assert "r" == sock.interest
        channel.write(b"short")
        await turns()
        assert "rw" == sock.interest
        sock.writable()
        assert "r" == sock.interest
        assert b"allshort" == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_writes_of_one_turn_leave_in_one_call() -> None:
    """A hundred small writes cost one system call, which never raises a signal."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        for k in range(100):
            channel.write(b"%02d" % k)
        assert not sock.calls
        await turns()
        assert ["send"] == [call.name for call in sock.calls]
        assert sock.calls[0].flags & MSG_NOSIGNAL
        assert b"".join(b"%02d" % k for k in range(100)) == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_flush_outside_an_event_sends_at_once() -> None:
    """flush() from application code does not wait for the end of the turn."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(auto_flush=False))
        channel.write(b"now")
        await turns()
        assert b"" == bytes(sock.sent), "without auto_flush nothing leaves by itself"
        channel.flush()
        assert b"now" == bytes(sock.sent)
        await channel.send(b" and this")
        await turns()
        assert b"now and this" == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_replies_of_one_wake_up_leave_in_one_call() -> None:
    """What handlers write and flush while several receives are handled is sent once, at the end."""

    async def main() -> None:
        def reply(name: str, ctx: Any, what: Any) -> None:
            if name == "read":
                ctx.write(what.upper())
                ctx.flush()

        sock = ScriptedSocket()
        channel = sock.channel(
            lambda channel: channel.pipeline.add_last(Recorder(reply)),
            options=ChannelOptions(receive_min=4, receive_initial=4, receive_max=4),
        )
        sock.readable(b"abcd", b"efgh", b"ij")
        assert b"ABCDEFGHIJ" == bytes(sock.sent)
        assert ["recv", "recv", "recv", "send"] == [call.name for call in sock.calls]
        channel.close()

    on_loop(main)


def test_flushed_waits_until_everything_before_it_is_in_the_kernel() -> None:
    """flushed() returns when the writes before it are sent, whatever is written afterwards."""

    async def main() -> None:
        sock = ScriptedSocket(send=[2])
        channel = sock.channel()
        await channel.flushed()
        channel.write(b"before")
        waiting = asyncio.create_task(channel.flushed())
        await turns()
        channel.write(b"after")
        assert not waiting.done()
        sock.writable(4, BLOCK)
        await turns()
        assert waiting.done()
        assert b"before" == bytes(sock.sent)
        channel.close()
        with pytest.raises(ChannelClosedError):
            await channel.flushed()

    on_loop(main)


def test_b166_writing_in_the_writability_event_keeps_the_stack_flat() -> None:
    """A handler that refills and flushes at every edge, 10**4 times, neither recurses nor starves the loop."""

    async def main() -> None:
        state = {"left": 10_000, "edges": 0}

        def refill(name: str, ctx: Any, what: Any) -> None:
            if name == "writability":
                state["edges"] += 1
                while ctx.channel.is_writable and state["left"]:
                    state["left"] -= 1
                    ctx.write(b"x" * 100)
                ctx.flush()

        sock = ScriptedSocket()
        channel = sock.channel(
            lambda channel: channel.pipeline.add_last(Recorder(refill)),
            options=ChannelOptions(low_water=0, high_water=50),
        )
        channel.write(b"y" * 100)
        beats = 0
        while state["left"]:
            await asyncio.sleep(0)
            beats += 1
            assert beats < 10_000
        await turns(5)
        assert b"y" * 100 + b"x" * 1_000_000 == bytes(sock.sent)
        assert beats > 100, "others had their turn in between"
        assert state["edges"] >= 5_000
        channel.close()

    on_loop(main)


def test_b166_each_promise_is_told_once_when_closed_inside_a_flush() -> None:
    """The first completed write closes the channel: it succeeded, the others fail, each is told once."""

    async def main() -> None:
        sock = ScriptedSocket(send=[3, None])
        channel = sock.channel(options=ChannelOptions(coalesce_below=0))

        class Closes(Promise):
            def succeed(self) -> None:
                super().succeed()
                channel.close()

        promises = [Closes(), Promise(), Promise()]
        for promise in promises:
            channel.pipeline.write(b"abc", promise)
        await turns()
        assert [(1, 0), (0, 1), (0, 1)] == [(one.successes, len(one.failures)) for one in promises]
        assert b"abc" == bytes(sock.sent)
        assert 1 == sock.closed

    on_loop(main)


def test_write_from_the_callback_of_a_failed_write_fails_alone() -> None:
    """Who writes again when his write fails gets another failure, not an endless loop."""

    async def main() -> None:
        sock = ScriptedSocket(send=[ConnectionResetError(errno.ECONNRESET, "reset")])
        channel = sock.channel()
        again: list[Promise] = []

        class WritesAgain(Promise):
            def fail(self, exc: BaseException) -> None:
                super().fail(exc)
                again.append(Promise())
                channel.pipeline.write(b"again", again[-1])

        first = WritesAgain()
        channel.pipeline.write(b"first", first)
        await turns()
        assert 1 == len(first.failures) == len(again)
        assert isinstance(first.failures[0].__cause__, ConnectionResetError)
        assert 1 == len(again[0].failures)

    on_loop(main)


def test_b174_a_type_nobody_encodes_fails_its_awaitable_before_any_byte() -> None:
    """write(42) raises UnsupportedMessageError when awaited; unawaited it is logged; the channel goes on."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        with pytest.raises(UnsupportedMessageError) as caught:
            await channel.write(42)
        assert int is caught.value.message_type
        await channel.send(b"fine")
        await turns()
        assert b"fine" == bytes(sock.sent)
        channel.close()

    on_loop(main)


def test_unawaited_mistake_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A write of something that cannot be sent is not lost in silence when nobody awaits it."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel()
        channel.write(42)
        channel.close()

    on_loop(main)
    assert 1 == sum("nobody awaited it" in record.message for record in caplog.records)


def test_more_than_1024_parts_go_in_several_calls() -> None:
    """No call gets more parts than the kernel takes."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(coalesce_below=0))
        for k in range(2500):
            channel.write(bytes([k % 251]))
        await sock.settle()
        assert bytes(k % 251 for k in range(2500)) == bytes(sock.sent)
        assert [1024, 1024, 452] == [call.nbytes for call in sock.calls]
        channel.close()

    on_loop(main)


def test_writes_per_wakeup_are_bounded_and_go_on_in_the_next() -> None:
    """A queue of many parts is sent in portions; between them others have their turn."""

    async def main() -> None:
        sock = ScriptedSocket()
        channel = sock.channel(options=ChannelOptions(coalesce_below=0, writes_per_wakeup=2))
        for _ in range(5 * 1024):
            channel.write(b"p")
        await turns(2)
        assert 2 == len(sock.calls)
        assert "w" == sock.interest, "reading waits for a peer who does not take his replies"
        sock.writable()
        assert 4 == len(sock.calls)
        sock.writable()
        assert 5 * 1024 == len(sock.sent)
        assert "r" == sock.interest
        channel.close()

    on_loop(main)


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM, errno.EPERM, errno.ENETUNREACH, errno.ETIMEDOUT])
def test_a_failed_send_closes_with_that_error_as_first_cause(number: int) -> None:
    """The OSError of the system call is what every queued write and every later one names as its cause."""

    async def main() -> None:
        sock = ScriptedSocket(send=[OSError(number, "scripted")])
        channel = sock.channel()
        promise = Promise()
        channel.pipeline.write(b"lost", promise)
        await turns()
        assert 1 == promise.outcomes
        assert number == promise.failures[0].__cause__.errno  # type: ignore[union-attr]  # the OSError
        with pytest.raises(ChannelClosedError) as caught:
            await channel.write(b"later")
        assert number == caught.value.__cause__.errno  # type: ignore[union-attr]  # the OSError
        assert 1 == sock.closed

    on_loop(main)


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOTSOCK, errno.EFAULT])
def test_a_descriptor_that_is_not_ours_is_an_internal_error(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """EBADF, ENOTSOCK and EFAULT are our own mistake: InternalError, and loud."""

    async def main() -> None:
        sock = ScriptedSocket(send=[OSError(number, "scripted")])
        channel = sock.channel()
        channel.write(b"lost")
        await turns()
        with pytest.raises(ChannelClosedError) as caught:
            await channel.drain()
        assert "InternalError" == type(caught.value.__cause__).__name__

    on_loop(main)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_efault_of_a_mapped_file_is_a_truncated_file() -> None:
    """A view of a file mapping that cannot be read means that the file shrank."""

    async def main() -> None:
        import mmap

        mapping = mmap.mmap(-1, 8192)
        sock = ScriptedSocket(send=[OSError(errno.EFAULT, "scripted")])
        channel = sock.channel()
        promise = Promise()
        channel.pipeline.write(wrap(mapping), promise)
        await turns()
        assert "FileTruncatedError" == type(promise.failures[0].__cause__).__name__
        await channel.wait_closed()

    on_loop(main)


def test_a_write_in_another_thread_raises_usage_error_and_takes_the_message() -> None:
    """A channel belongs to the thread of its loop; the message is released, nothing is sent."""

    async def main() -> None:
        from zbuf.errors import UsageError

        sock = ScriptedSocket()
        channel = sock.channel()
        buf = filled(b"x")

        def elsewhere() -> None:
            with pytest.raises(UsageError):
                channel.write(buf)
            for call in (channel.close, channel.flush, channel.read):
                with pytest.raises(UsageError):
                    call()

        await asyncio.to_thread(elsewhere)
        assert 0 == buf.refcnt
        await turns()
        assert not sock.sent and channel.is_active
        channel.close()

    on_loop(main)
