"""Handler: which events a class overrides, and that defaults pass on."""

import pytest

from tests.pipeline.kit import Recorder
from zbuf import copied
from zbuf.pipeline import DecoderHandler, EncoderHandler, Handler, InputShutdown
from zbuf.pipeline import _handler as bits
from zbuf.testing import EmbeddedChannel


def test_events_are_computed_once_per_class():
    """The mask names exactly what a class or one of its bases overrides, mix-ins included."""

    class Reads(Handler):
        def channel_read(self, ctx, msg):
            pass

    class Flushes:
        def flush(self, ctx):
            pass

    class Both(Flushes, Reads):
        pass

    assert Handler._events == 0
    assert Reads._events == bits.CHANNEL_READ
    assert Both._events == bits.CHANNEL_READ | bits.FLUSH
    assert Recorder._events == bits.INBOUND | bits.OUTBOUND
    assert EncoderHandler._events == bits.WRITE
    assert not DecoderHandler._events & (bits.WRITE | bits.FLUSH | bits.CLOSE)


def test_defaults_pass_every_event_on():
    """A handler that calls the defaults of its base is as good as none."""

    class Defaults(Handler):
        pass

    for name in bits.EVENTS:
        setattr(Defaults, name, lambda self, ctx, *args, name=name: getattr(Handler, name)(self, ctx, *args))
    Defaults._events = bits.events_of(Defaults)
    assert Defaults._events == bits.INBOUND | bits.OUTBOUND
    inner, outer = [], []
    channel = EmbeddedChannel(Recorder("outer", outer), Defaults(), Recorder("inner", inner))
    channel.write_inbound("message")
    channel.set_writable(False)
    channel.shutdown_input()
    channel.pipeline.fire_exception_caught(ValueError())
    channel.pipeline.read()
    with pytest.raises(ValueError):
        channel.write_outbound(b"out")
    assert [line.partition(": ")[2] for line in inner] == [
        "handler_added",
        "channel_active",
        "channel_read 'message'",
        "channel_read_complete",
        "channel_writability_changed",
        "user_event_triggered InputShutdown()",
        "exception_caught ValueError",
        "channel_inactive",
        "read",
    ]
    assert outer[-1] == "outer: read" and channel.read_requests == 1


def test_input_shutdown_is_a_value():
    """The event carries nothing: any two are equal."""
    assert InputShutdown() == InputShutdown()


@pytest.mark.parametrize("wrong", [None, object(), "handler", Handler])
def test_what_is_no_handler_is_refused(wrong):
    """Only instances of Handler stand in a pipeline."""
    channel = EmbeddedChannel()
    with pytest.raises(TypeError):
        channel.pipeline.add_last("name", wrong)
    assert channel.pipeline.names() == []


def test_a_message_is_handed_on_as_the_same_object():
    """Reading passes the object itself; writing gives the next handler a handle of its own, the writer's is dead."""
    seen = []

    class Peek(Handler):
        def channel_read(self, ctx, msg):
            seen.append(msg)
            ctx.fire_channel_read(msg)

        def write(self, ctx, msg, promise):
            seen.append(msg)
            ctx.write(msg, promise)

    with EmbeddedChannel(Peek(), Peek()) as channel:
        buf = copied(b"in")
        channel.write_inbound(buf)
        assert seen[0] is buf and seen[1] is buf and channel.read_inbound() is buf
        del seen[:]
        channel.write_outbound(buf)
        assert buf.refcnt == 0 and seen[0] is not buf and [one.refcnt for one in seen] == [0, 0]
        assert channel.read_outbound() == b"in"
