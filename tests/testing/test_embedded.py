"""EmbeddedChannel: in-memory ends, stricter than a socket where that finds mistakes."""

import pytest

from tests.pipeline.kit import Catcher, Promise, Recorder
from zbuf import Pool, copied, default_allocator
from zbuf.errors import ChannelClosedError, ReferenceCountError
from zbuf.pipeline import Handler
from zbuf.region import FileRegion
from zbuf.testing import EmbeddedChannel


class Swallows(Handler):
    """Lets nothing through in either direction."""

    def channel_read(self, ctx, msg):
        pass

    def write(self, ctx, msg, promise):
        pass


class Raises(Handler):
    """Raises for each message read."""

    def channel_read(self, ctx, msg):
        raise ValueError(msg)


def test_write_inbound_says_whether_something_came_out_b177():
    """True when a message can be read at the inner end; None when there is none."""
    channel = EmbeddedChannel()
    assert channel.write_inbound("a", "b") is True
    assert [channel.read_inbound() for _ in range(3)] == ["a", "b", None]
    assert EmbeddedChannel(Swallows()).write_inbound("a") is False
    assert channel.write_inbound() is False


def test_write_outbound_says_whether_something_left_b177():
    """True when something can be read at the outer end."""
    channel = EmbeddedChannel()
    assert channel.write_outbound(b"a", b"b") is True
    assert [channel.read_outbound() for _ in range(3)] == [b"a", b"b", None]
    assert EmbeddedChannel(Swallows()).write_outbound(b"a") is False


def test_an_exception_nobody_handled_is_raised_by_the_call_b177():
    """It is raised once, and closes the channel; a later call finds it closed and releases what it was given."""
    channel = EmbeddedChannel(Raises())
    with pytest.raises(ValueError):
        channel.write_inbound("x")
    buf = copied(b"late")
    with pytest.raises(ChannelClosedError):
        channel.write_inbound(buf)
    assert buf.refcnt == 0
    other = copied(b"late")
    with pytest.raises(ChannelClosedError):
        channel.write_outbound(other)
    assert other.refcnt == 0


def test_a_recorded_exception_is_raised_by_the_next_call_b177():
    """What went wrong outside a call of the test shows at the next one."""
    channel = EmbeddedChannel(Raises())
    channel.pipeline.fire_channel_read("x")
    buf = copied(b"msg")
    with pytest.raises(ValueError):
        channel.write_inbound(buf)
    assert buf.refcnt == 0


@pytest.mark.parametrize("end", ["inbound", "outbound"])
def test_leaving_the_block_with_unread_messages_fails_b177(end):
    """The message names how many are left; they are released."""
    pool = Pool()

    def forget():
        with EmbeddedChannel(allocator=pool) as channel:
            msg = pool.buffer(4)
            msg.write_bytes(b"x")
            getattr(channel, f"write_{end}")(msg)

    with pytest.raises(AssertionError, match=f"1 {end}"):
        forget()
    assert pool.statistics().live_blocks == 0


def test_leaving_the_block_with_an_exception_fails_b177():
    """An exception that nobody handled and no call raised is raised at the end of the block."""
    with pytest.raises(ValueError), EmbeddedChannel(Raises()) as channel:
        channel.pipeline.fire_channel_read("x")


def test_leaving_the_block_by_an_exception_keeps_it():
    """The block's own exception is the one that is seen, whatever is left in the channel."""
    with pytest.raises(KeyError), EmbeddedChannel(Raises()) as channel:
        channel.write_outbound(b"left")
        channel.pipeline.fire_channel_read("x")
        raise KeyError


def test_leaving_the_block_closes_and_removes_the_handlers():
    """Handlers see the end: inactive once, then removed."""
    log = []
    with EmbeddedChannel(Recorder("a", log)):
        pass
    assert log == [
        "a: handler_added",
        "a: channel_active",
        "a: close",
        "a: channel_inactive",
        "a: handler_removed",
    ]


def test_finish_says_whether_messages_are_left():
    """finish() closes; finish_and_release_all() also releases."""
    channel = EmbeddedChannel()
    assert channel.finish() is False
    channel = EmbeddedChannel()
    buf = copied(b"x")
    channel.write_inbound(buf)
    assert channel.finish_and_release_all() is True
    assert buf.refcnt == 0 and channel.release_inbound() is False and channel.release_outbound() is False


def test_messages_leave_with_the_flush_and_complete_their_promise():
    """What is written waits for the flush; closing before it fails the promise and releases the message."""
    channel, first, second = EmbeddedChannel(), Promise(), Promise()
    channel.pipeline.write(b"a", first)
    assert channel.read_outbound() is None and first.outcomes == []
    channel.pipeline.flush()
    assert channel.read_outbound() == b"a" and first.outcomes == ["done"]
    buf = copied(b"b")
    spy = buf.duplicate()
    channel.pipeline.write(buf, second)
    channel.close()
    assert second.outcomes == [ChannelClosedError] and not spy.is_shared
    assert channel.read_outbound() is None


def test_writing_takes_the_message():
    """Buffers and regions are the channel's at the call; arrays are copied, bytes go by reference."""
    channel = EmbeddedChannel()
    buf, array, constant = copied(b"abc"), bytearray(b"def"), b"ghi"
    channel.pipeline.write(buf)
    channel.pipeline.write(array)
    channel.pipeline.write(constant)
    array[:] = b"???"
    with pytest.raises(ReferenceCountError):
        buf.read_byte()
    channel.pipeline.flush()
    first, second, third = (channel.read_outbound() for _ in range(3))
    assert (bytes(first), bytes(second)) == (b"abc", b"def") and third is constant


def test_regions_reach_the_outer_end(tmp_path):
    """A file region is handed on under a handle of its own."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    region = FileRegion(path, 2, 3)
    channel = EmbeddedChannel()
    channel.write_outbound(region)
    out = channel.read_outbound()
    assert region.refcnt == 0 and (out.offset, out.count) == (2, 3)
    out.release()


def test_writing_after_the_close_raises_and_releases():
    """A handler that writes on a closed channel is told so."""
    channel = EmbeddedChannel()
    channel.close()
    buf = copied(b"x")
    with pytest.raises(ChannelClosedError):
        channel.pipeline.write(buf)
    assert buf.refcnt == 0


def test_messages_behind_a_close_are_released():
    """When a handler closes at the first of several messages the others do not arrive."""

    class Closes(Handler):
        def channel_read(self, ctx, msg):
            ctx.close()
            ctx.fire_channel_read(msg)

    catcher = Catcher()
    channel = EmbeddedChannel(Closes(), catcher)
    second = copied(b"2")
    channel.write_inbound("1", second)
    assert catcher.messages == ["1"] and second.refcnt == 0
    assert catcher.events == ["complete", "inactive"]


def test_the_allocator_is_the_pipelines():
    """Handlers get their buffers from the allocator given, by default the default one."""
    pool = Pool()
    assert EmbeddedChannel(allocator=pool).pipeline.allocator is pool
    assert EmbeddedChannel().pipeline.allocator is default_allocator()


def test_repr_sums_up():
    """The representation shows state and counts."""
    channel = EmbeddedChannel()
    channel.write_inbound("x")
    assert repr(channel) == "EmbeddedChannel(open, inbound=1, outbound=0)" and channel.is_active
    channel.finish()
    assert not channel.is_active
    assert repr(channel) == "EmbeddedChannel(closed, inbound=1, outbound=0)"
