"""The ready-made handlers that need no time: typed, flushing, flow, logging.

Owns    TypedHandler, FlushConsolidationHandler, FlowControlHandler, LoggingHandler.
Never   sockets.
Always  what passes is compared object by object."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

import pytest

from tests.pipeline.kit import Recorder
from zbuf import copied
from zbuf.errors import ReferenceCountError
from zbuf.handlers import FlowControlHandler, FlushConsolidationHandler, LoggingHandler, TypedHandler
from zbuf.pipeline import Context, Handler
from zbuf.testing import EmbeddedChannel

T = TypeVar("T")


def test_b173_typed_handler_takes_its_type_and_passes_others_on() -> None:
    """Messages of the type go to channel_read_typed, unreleased; others go on untouched."""
    taken: list[object] = []

    class Texts(TypedHandler[str]):
        def channel_read_typed(self, ctx: Context, msg: str) -> None:
            taken.append(msg)

    with EmbeddedChannel(Texts()) as channel:
        buf = copied(b"x")
        channel.write_inbound("text", buf, 5)
        assert taken == ["text"]
        assert channel.read_inbound() is buf and channel.read_inbound() == 5
        buf.release()


def test_b173_typed_handler_releases_nothing() -> None:
    """A buffer of the type belongs to the handler, alive."""
    from zbuf import ByteBuf

    taken: list[ByteBuf] = []

    class Buffers(TypedHandler[ByteBuf]):
        def channel_read_typed(self, ctx: Context, msg: ByteBuf) -> None:
            taken.append(msg)

    with EmbeddedChannel(Buffers()) as channel:
        channel.write_inbound(copied(b"mine"))
    assert bytes(taken[0]) == b"mine" and taken[0].refcnt == 1
    taken[0].release()


def test_typed_handler_unions_generics_and_bases() -> None:
    """A union, a generic alias, an open base that is closed later, and an explicit message_type."""

    class Either(TypedHandler[int | str]):
        pass

    class Lists(TypedHandler[list[int]]):
        pass

    class Open(TypedHandler[T]):
        pass

    class Closed(Open[bytes]):
        pass

    class Said(TypedHandler[Any]):
        message_type = (int, bytes)

    assert Either.message_type == (int, str)
    assert Lists.message_type is list
    assert Open.message_type is None and Closed.message_type is bytes
    assert Said.message_type == (int, bytes)
    with pytest.raises(TypeError, match="message_type"):

        class Anything(TypedHandler[Any]):  # no class: nothing can be tested for it
            message_type = "str"


def test_typed_handler_without_a_type_says_so() -> None:
    """An open class in a pipeline is a mistake that is named."""

    class Open(TypedHandler[T]):
        pass

    with pytest.raises(TypeError, match="Open"):
        EmbeddedChannel(Open[int]()).write_inbound(1)


class Flushes(Handler[Any, Any]):
    """Counts the flushes that come through."""

    def __init__(self) -> None:
        self.count = 0

    def flush(self, ctx: Context) -> None:
        """Count."""
        self.count += 1
        ctx.flush()


class Replies(Handler[Any, Any]):
    """Writes and flushes for each message."""

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Answer."""
        ctx.write(b"reply")
        ctx.flush()


def test_flush_consolidation_joins_the_flushes_of_one_reading() -> None:
    """Ten messages, ten flushes asked for, one that goes out; every reply is out after it."""
    flushes = Flushes()
    channel = EmbeddedChannel(flushes, FlushConsolidationHandler(), Replies())
    channel.write_inbound(*range(10))
    assert flushes.count == 1
    assert [channel.read_outbound() for _ in range(11)] == [b"reply"] * 10 + [None]
    channel.write_outbound(b"outside")
    assert flushes.count == 2
    channel.release_outbound()


def test_flush_consolidation_bound_close_and_removal_lose_nothing() -> None:
    """After `flush_after` flushes one goes out; a close, and the handler's removal, let out what waits."""
    flushes = Flushes()
    channel = EmbeddedChannel(flushes, FlushConsolidationHandler(4), Replies())
    for at in range(9):
        channel.write_one_inbound(at)
    assert flushes.count == 2
    channel.pipeline.remove("FlushConsolidationHandler#0")
    assert flushes.count == 3
    channel.release_outbound()
    channel = EmbeddedChannel(flushes := Flushes(), FlushConsolidationHandler(4), Replies())
    channel.write_one_inbound(1)
    assert channel.read_outbound() is None
    channel.close()
    assert flushes.count == 1 and channel.read_outbound() == b"reply"
    with pytest.raises(ValueError):
        FlushConsolidationHandler(0)


def test_flush_consolidation_when_idle_waits_for_the_next_turn() -> None:
    """Outside of reading, flushes are joined until the loop's next turn, if asked for."""
    flushes = Flushes()
    channel = EmbeddedChannel(flushes, FlushConsolidationHandler(consolidate_when_idle=True))
    for _ in range(5):
        channel.write_outbound(b"x")
    assert flushes.count == 0
    channel.run_pending()
    assert flushes.count == 1
    channel.release_outbound()


class Splits(Handler[str, Any]):
    """Makes a message of each letter."""

    def channel_read(self, ctx: Context, msg: str) -> None:
        """Split."""
        for letter in msg:
            ctx.fire_channel_read(letter)


def test_flow_control_gives_one_message_per_read() -> None:
    """With automatic reads off, each read() brings one message; the channel is asked only when none is held."""
    channel = EmbeddedChannel(Splits(), FlowControlHandler())
    channel.pipeline.auto_read = False
    channel.read()
    assert channel.read_requests == 1
    channel.write_inbound("abc")
    assert [channel.read_inbound(), channel.read_inbound()] == ["a", None]
    channel.read()
    assert [channel.read_inbound(), channel.read_inbound()] == ["b", None]
    channel.read()
    assert channel.read_inbound() == "c"
    assert channel.read_requests == 1
    channel.read()
    assert channel.read_requests == 2
    channel.pipeline.auto_read = True
    channel.write_inbound("de")
    assert [channel.read_inbound(), channel.read_inbound()] == ["d", "e"]
    channel.finish()


def test_flow_control_removed_hands_on_and_closed_releases() -> None:
    """Removed from an open channel it hands on what it holds; in a closed one it releases that."""
    channel = EmbeddedChannel(Splits(), FlowControlHandler())
    channel.pipeline.auto_read = False
    channel.write_inbound("xy")
    channel.pipeline.remove("FlowControlHandler#0")
    assert [channel.read_inbound(), channel.read_inbound()] == ["x", "y"]
    buf = copied(b"held")
    channel = EmbeddedChannel(FlowControlHandler())
    channel.pipeline.auto_read = False
    channel.write_inbound(buf)
    channel.finish()
    with pytest.raises(ReferenceCountError):
        buf.read_byte()


def test_logging_handler_shows_events_and_bytes(caplog: pytest.LogCaptureFixture) -> None:
    """Every event becomes a line, buffers a dump up to the bound; messages pass untouched."""
    log: list[str] = []
    with caplog.at_level(logging.DEBUG, "zbuf.channel"):
        channel = EmbeddedChannel(LoggingHandler(dump_bytes=4), Recorder("inner", log))
        channel.write_inbound(copied(b"abcdef"), "text")
        channel.write_outbound(b"reply")
        channel.set_writable(False)
        channel.shutdown_input()
        channel.read()
        channel.pipeline.fire_exception_caught(ValueError("oops"))
        with pytest.raises(ValueError):
            channel.finish()
    text = caplog.text
    for word in ("ADDED", "ACTIVE", "READ: 6 bytes", "2 bytes more", "READ: 'text'", "READ COMPLETE", "WRITE: 5 bytes"):
        assert word in text, word
    for word in ("FLUSH", "EXCEPTION: ValueError: oops", "NOT WRITABLE", "InputShutdown", "READ REQUEST", "INACTIVE"):
        assert word in text, word
    assert "61 62 63 64 " in text and "65 66" not in text
    assert [line for line in log if "channel_read " in line]
    channel.finish_and_release_all()


def test_logging_handler_formats_nothing_when_off(caplog: pytest.LogCaptureFixture) -> None:
    """Below the logger's level no message is looked at."""

    class Shy:
        def __repr__(self) -> str:
            raise AssertionError("was formatted")

    with caplog.at_level(logging.INFO, "zbuf.channel"):
        channel = EmbeddedChannel(LoggingHandler())
        channel.write_inbound(Shy())
    assert not caplog.records
    channel.release_inbound()
    with pytest.raises(ValueError):
        LoggingHandler(dump_bytes=-1)
