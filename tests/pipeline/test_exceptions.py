"""What becomes of an exception: inward to the next handler that wants it, out to who wrote, never round in circles."""

import asyncio
import gc
import weakref

import pytest

from tests.pipeline.kit import Catcher, Promise, Recorder
from zbuf import Pool, copied
from zbuf._form import form
from zbuf.errors import ReferenceCountError, UnsupportedMessageError, WriteLimitError
from zbuf.pipeline import Handler, InputShutdown
from zbuf.testing import EmbeddedChannel


class Boom(Exception):
    """What the handlers of these tests raise."""


def raising(callback):
    """A handler that raises Boom in one callback."""

    def fail(self, ctx, *args):
        raise Boom(callback)

    return type("Raises", (Handler,), {callback: fail})()


TRIGGERS = {
    "channel_read": lambda p: p.fire_channel_read("msg"),
    "channel_read_complete": lambda p: p.fire_channel_read_complete(),
    "channel_writability_changed": lambda p: p.fire_channel_writability_changed(),
    "user_event_triggered": lambda p: p.fire_user_event_triggered(InputShutdown()),
    "channel_active": lambda p: p.fire_channel_active(),
    "channel_inactive": lambda p: p.fire_channel_inactive(),
    "exception_caught": lambda p: p.fire_exception_caught(ValueError("first")),
    "flush": lambda p: p.flush(),
    "read": lambda p: p.read(),
    "close": lambda p: p.close(),
}


@pytest.mark.parametrize("callback", TRIGGERS)
def test_a_handler_that_raises_is_heard_by_the_next_inward_b173(callback):
    """Each callback in turn: the next handler inward hears of it once, the one further out never."""
    outer, catcher = [], Catcher()
    channel = EmbeddedChannel(Recorder("outer", outer))
    channel.pipeline.add_last(raising(callback))
    channel.pipeline.add_last(catcher)
    TRIGGERS[callback](channel.pipeline)
    assert catcher.exceptions == [Boom]
    assert not [line for line in outer if "Boom" in line]
    assert channel.is_open


@pytest.mark.parametrize("callback", TRIGGERS)
def test_an_exception_nobody_handles_is_reported_once_and_closes_b173(callback):
    """At the tail: one report, the channel closed."""
    channel = EmbeddedChannel()
    channel.pipeline.add_last(raising(callback))
    if callback == "channel_inactive":
        channel.close()  # which makes it inactive
    else:
        TRIGGERS[callback](channel.pipeline)
    with pytest.raises(Boom):
        channel.check_exception()
    channel.check_exception()
    assert not channel.is_open


def test_error_handlers_that_raise_end_at_the_tail_b173():
    """Exceptions travel inward only: two raising error handlers make one report, and the first cause is kept."""
    channel = EmbeddedChannel(raising("channel_read"))
    for _ in range(2):
        channel.pipeline.add_last(raising("exception_caught"))
    with pytest.raises(Boom, match="exception_caught") as caught:
        channel.write_inbound("x")
    first = caught.value.__context__
    while first.__context__ is not None:
        first = first.__context__
    assert first.args == ("channel_read",)
    assert not channel.is_open


def test_an_exception_that_is_raised_again_is_no_cause_of_itself():
    """A handler that raises what it was given hands it on; no circle of contexts arises."""

    class Again(Handler):
        def exception_caught(self, ctx, exc):
            raise exc

    catcher = Catcher()
    channel = EmbeddedChannel(raising("channel_read"), Again(), Again(), catcher)
    channel.write_inbound("x")
    assert catcher.exceptions == [Boom] and catcher.last.__context__ is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("callback", ["channel_read", "exception_caught", "write", "flush"])
def test_exceptions_that_stop_the_program_pass_through(kind, callback):
    """Such an exception is no handler's failure: it leaves the pipeline, and nobody is told in between."""
    catcher = Catcher()

    def stop(self, ctx, *args):
        raise kind

    channel = EmbeddedChannel(type("Stops", (Handler,), {callback: stop})(), catcher)
    trigger = TRIGGERS.get(callback, lambda p: p.write(b"x"))
    with pytest.raises(kind):
        trigger(channel.pipeline)
    assert catcher.exceptions == [] and channel.is_open


def test_a_raising_handler_leaks_no_message_b173():
    """The message a handler had when it raised is given back; compiled, also while somebody keeps the exception."""
    pool = Pool()

    class Drops(Handler):
        def channel_read(self, ctx, msg):
            view = msg.slice()
            raise Boom(len(view))

    channel = EmbeddedChannel(Drops())
    buf = pool.buffer(16)
    buf.write_bytes(b"secret")
    channel.pipeline.fire_channel_read(buf)
    del buf
    with pytest.raises(Boom, match="6") as kept:
        channel.check_exception()
    if form() == "compiled":  # interpreted, the pipeline's own frames hang on the traceback
        assert pool.statistics().live_blocks == 0
    del kept
    gc.collect()
    assert pool.statistics().live_blocks == 0


def test_a_raising_handler_leaks_no_message_when_another_handles_it_b173():
    """Once the handler that caught it forgets the exception, its message is gone too."""
    pool = Pool()
    catcher = Catcher()
    channel = EmbeddedChannel(raising("channel_read"), catcher)
    buf = pool.buffer(16)
    buf.write_bytes(b"secret")
    channel.pipeline.fire_channel_read(buf)
    del buf, catcher.last
    assert pool.statistics().live_blocks == 0


def test_a_write_that_raises_raises_at_the_call_b173():
    """Who writes hears of the failure there; the handle is gone all the same."""
    channel = EmbeddedChannel(raising("write"))
    buf = copied(b"x")
    with pytest.raises(Boom):
        channel.pipeline.write(buf)
    with pytest.raises(ReferenceCountError):
        buf.read_byte()
    assert channel.is_open


def test_a_write_that_raises_inside_a_handler_reaches_the_next_inward_b173():
    """A handler that does not catch what its write raised has raised itself."""

    class Replies(Handler):
        def channel_read(self, ctx, msg):
            ctx.write(msg)

    catcher = Catcher()
    channel = EmbeddedChannel(raising("write"), Replies(), catcher)
    channel.write_inbound("x")
    assert catcher.exceptions == [Boom]


def test_a_write_with_a_promise_fails_the_promise_once():
    """With a promise nothing is raised: it is completed, once."""
    promise = Promise()
    channel = EmbeddedChannel(raising("write"))
    channel.pipeline.write(b"x", promise)
    assert promise.outcomes == [Boom] and channel.is_open


def test_write_limit_error_is_raised_in_any_case():
    """The hard cap is told to the producer at the call, promise or not."""

    class Full(Handler):
        def write(self, ctx, msg, promise):
            raise WriteLimitError("full", limit="bytes", maximum=1, value=2)

    channel = EmbeddedChannel(Full())
    for promise in (None, Promise()):
        with pytest.raises(WriteLimitError):
            channel.pipeline.write(b"x", promise)
        assert promise is None or promise.outcomes == []


def test_a_type_nobody_encodes_raises_before_anything_is_sent_b174():
    """The head takes buffers, bytes and regions; anything else is refused and released."""
    channel = EmbeddedChannel(Recorder("a", []))
    for msg in ("text", 5, ["list"]):
        with pytest.raises(UnsupportedMessageError) as caught:
            channel.write_outbound(msg)
        assert caught.value.message_type is type(msg)
    promise = Promise()
    channel.pipeline.write("text", promise)
    assert promise.outcomes == [UnsupportedMessageError]
    assert channel.read_outbound() is None


def test_an_exception_is_let_go_of():
    """The pipeline keeps no exception: when the last handler forgets it, it is gone."""
    catcher = Catcher()
    channel = EmbeddedChannel(raising("channel_read"), catcher)
    channel.write_inbound("x")
    gone = weakref.ref(catcher.last)
    del catcher.last
    gc.collect()
    assert gone() is None


# Re-entrance.


def test_flush_inside_flush_and_close_inside_flush_end_b166():
    """Writing, flushing and closing from inside a flush neither recurses without end nor completes a promise twice."""

    class Busy(Handler):
        flushes = 0

        def flush(self, ctx):
            self.flushes += 1
            if self.flushes < 50:
                ctx.write(b"more", promises[self.flushes])
                ctx.pipeline.flush()
            elif self.flushes == 50:
                ctx.close()
            ctx.flush()

    promises = [Promise() for _ in range(50)]
    channel = EmbeddedChannel(Busy())
    channel.pipeline.write(b"first", promises[0])
    channel.pipeline.flush()
    assert all(len(promise.outcomes) == 1 for promise in promises)
    assert not channel.is_open
    channel.release_outbound()


def test_write_inside_writability_changed_ends_b166():
    """A handler that writes whenever the mark moves is called once per move."""

    class Eager(Handler):
        calls = 0

        def channel_writability_changed(self, ctx):
            self.calls += 1
            ctx.write(b"x")
            ctx.flush()
            ctx.fire_channel_writability_changed()

    eager = Eager()
    channel = EmbeddedChannel(eager)
    channel.set_writable(False)
    channel.set_writable(True)
    channel.set_writable(True)
    assert eager.calls == 2 and channel.release_outbound()


def test_close_inside_an_event_makes_inactive_once_and_last_b166():
    """channel_inactive comes when the present event is through, once, however often the channel is closed."""
    catcher = Catcher()

    class Closes(Handler):
        def channel_read(self, ctx, msg):
            ctx.close()
            ctx.pipeline.close()
            ctx.fire_channel_read(msg)

    channel = EmbeddedChannel(Closes(), catcher)
    channel.write_inbound("x")
    channel.close()
    assert catcher.messages == ["x"] and catcher.events.count("inactive") == 1
