"""The chain: order, names, adding and removing, also while an event runs."""

import pytest

from tests.pipeline.kit import Catcher, Recorder
from zbuf.errors import PipelineError
from zbuf.pipeline import Handler, Pipeline
from zbuf.testing import EmbeddedChannel


@pytest.fixture
def log():
    """What the recorders of one test write down."""
    return []


@pytest.fixture
def channel():
    """An open channel without handlers."""
    return EmbeddedChannel()


def test_add_first_last_before_after_keep_the_order_b172(channel, log):
    """The four ways to add put each handler where they say, and tell it once."""
    pipeline = channel.pipeline
    pipeline.add_last("c", Recorder("c", log))
    pipeline.add_first("a", Recorder("a", log))
    pipeline.add_before("c", "b", Recorder("b", log))
    pipeline.add_after("c", "d", Recorder("d", log))
    assert pipeline.names() == ["a", "b", "c", "d"]
    assert log == ["c: handler_added", "a: handler_added", "b: handler_added", "d: handler_added"]
    assert len(pipeline) == 4 and "b" in pipeline and "e" not in pipeline


def test_inbound_goes_inward_and_outbound_outward_b172(channel, log):
    """Messages read visit the handlers from the channel inward, messages written in the opposite order."""
    for name in "abc":
        channel.pipeline.add_last(name, Recorder(name, log))
    log.clear()
    channel.write_inbound("in")
    assert [line for line in log if "channel_read 'in'" in line] == [f"{n}: channel_read 'in'" for n in "abc"]
    log.clear()
    channel.write_outbound(b"out")
    assert [line.split()[:2] for line in log] == [[f"{n}:", e] for e in ("write", "flush") for n in "cba"]


def test_context_writes_and_fires_from_its_own_place(log):
    """What a handler writes is seen by those further out only; what it fires, by those further in."""
    channel = EmbeddedChannel(*(Recorder(name, log) for name in "abc"))
    middle = channel.pipeline.context(channel.pipeline.names()[1])
    log.clear()
    middle.write(b"x")
    middle.flush()
    middle.fire_channel_read("y")
    assert log == ["a: write b'x'", "a: flush", "c: channel_read 'y'"]


def test_names_are_generated_and_unique_b172(channel):
    """Without a name one is made of the class and a number; both spellings of the call are the same."""
    first, second, third = Catcher(), Catcher(), Catcher()
    channel.pipeline.add_last(first)
    channel.pipeline.add_last(None, second)
    channel.pipeline.add_last("Catcher#2", Recorder("x", []))
    channel.pipeline.add_first(third)
    assert channel.pipeline.names() == ["Catcher#3", "Catcher#0", "Catcher#1", "Catcher#2"]
    assert channel.pipeline.get("Catcher#1") is second and channel.pipeline.context(third).name == "Catcher#3"


@pytest.mark.parametrize("name", ["taken", "head", "tail"])
def test_duplicate_name_raises_and_changes_nothing_b172(channel, name):
    """A name that is taken, or one of the ends', is refused; the handler can still be added elsewhere."""
    channel.pipeline.add_last("taken", Catcher())
    handler = Catcher()
    with pytest.raises(PipelineError):
        channel.pipeline.add_last(name, handler)
    assert channel.pipeline.names() == ["taken"]
    channel.pipeline.add_last("free", handler)


def test_name_must_be_text(channel):
    """A number is no name."""
    with pytest.raises(TypeError):
        channel.pipeline.add_last(5, Catcher())


def test_same_instance_twice_raises_unless_sharable_b172(channel):
    """A handler stands in one place; after its removal it may be added again; a sharable one may stand in many."""

    class Shared(Catcher):
        sharable = True

    alone, shared = Catcher(), Shared()
    channel.pipeline.add_last(alone)
    with pytest.raises(PipelineError):
        channel.pipeline.add_last("again", alone)
    with pytest.raises(PipelineError):
        EmbeddedChannel(alone)
    channel.pipeline.remove(alone)
    channel.pipeline.add_last("again", alone)
    EmbeddedChannel(shared, shared)
    channel.pipeline.add_last(shared)
    assert channel.pipeline.names() == ["again", "Shared#0"]


def test_missing_name_raises_key_error_b172(channel):
    """Every call that looks for a handler says so when it is not there, and changes nothing."""
    pipeline = channel.pipeline
    for call in (
        lambda: pipeline.get("no"),
        lambda: pipeline.context("no"),
        lambda: pipeline.context(Catcher()),
        lambda: pipeline.remove("no"),
        lambda: pipeline.replace("no", "b", Catcher()),
        lambda: pipeline.add_before("no", "b", Catcher()),
        lambda: pipeline.add_after("no", "b", Catcher()),
    ):
        with pytest.raises(KeyError):
            call()
    assert pipeline.names() == []


def test_remove_tells_the_handler_once_and_returns_it_b172(channel, log):
    """By name or by itself; afterwards it sees nothing, and its neighbours see each other."""
    a, b, c = (Recorder(name, log) for name in "abc")
    for handler in (a, b, c):
        channel.pipeline.add_last(handler.name, handler)
    log.clear()
    assert channel.pipeline.remove("b") is b and channel.pipeline.remove(a) is a
    assert log == ["b: handler_removed", "a: handler_removed"]
    log.clear()
    channel.write_inbound(1)
    assert log == ["c: channel_read 1", "c: channel_read_complete"]


def test_replace_takes_the_place_b172(channel, log):
    """The new handler stands where the old one stood; it is told before the old one is; its name may be the same."""
    for name in "abc":
        channel.pipeline.add_last(name, Recorder(name, log))
    old = channel.pipeline.get("b")
    log.clear()
    assert channel.pipeline.replace("b", "b", Recorder("new", log)) is old
    assert log == ["new: handler_added", "b: handler_removed"]
    assert channel.pipeline.names() == ["a", "b", "c"]
    channel.pipeline.replace(channel.pipeline.get("b"), "d", Catcher())
    assert channel.pipeline.names() == ["a", "d", "c"]
    with pytest.raises(PipelineError):
        channel.pipeline.replace("d", "c", Catcher())
    assert channel.pipeline.names() == ["a", "d", "c"]


def test_replaced_handler_hands_on_to_the_new_one():
    """What the old handler still fires on its way out reaches its successor."""

    class Leaving(Handler):
        def handler_removed(self, ctx):
            ctx.fire_channel_read("rest")
            ctx.write(b"last")

    successor, written = Catcher(), []
    channel = EmbeddedChannel(Recorder("out", written), Leaving())
    channel.pipeline.replace("Leaving#0", None, successor)
    assert successor.messages == ["rest"] and written[-1] == "out: write b'last'"


@pytest.mark.parametrize("how", ["add_first", "add_last", "replace"])
def test_handler_added_that_raises_removes_the_handler_and_is_reported_b172(how, log):
    """The handler is gone again, was told so, and the next one inward hears of the exception."""

    class Refuses(Recorder):
        def handler_added(self, ctx):
            super().handler_added(ctx)
            raise ValueError("no")

    catcher = Catcher()
    channel = EmbeddedChannel(Recorder("first", []), catcher)
    name = channel.pipeline.names()[0]
    if how == "replace":
        channel.pipeline.replace(name, "bad", Refuses("bad", log))
    elif how == "add_first":
        channel.pipeline.add_first("bad", Refuses("bad", log))
    else:
        channel.pipeline.remove(catcher)
        channel.pipeline.add_last("bad", Refuses("bad", log))
    assert "bad" not in channel.pipeline.names()
    assert log == ["bad: handler_added", "bad: handler_removed"]
    if how == "add_last":
        with pytest.raises(ValueError):
            channel.check_exception()
    else:
        assert catcher.exceptions == [ValueError]


def test_handler_removed_that_raises_is_reported():
    """The handler is out all the same."""

    class Clings(Handler):
        def handler_removed(self, ctx):
            raise ValueError("never")

    catcher = Catcher()
    channel = EmbeddedChannel(Clings(), catcher)
    channel.pipeline.remove("Clings#0")
    assert channel.pipeline.names() == ["Catcher#0"] and catcher.exceptions == [ValueError]


# While an event runs.


def test_handler_that_removes_itself_still_passes_on_b172(log):
    """A handler on its way out hands the message to the next one, and sees no other."""

    class Once(Handler):
        def channel_read(self, ctx, msg):
            ctx.pipeline.remove(self)
            ctx.fire_channel_read(msg)

    catcher = Catcher()
    channel = EmbeddedChannel(Once(), catcher)
    channel.write_inbound(1, 2)
    assert catcher.messages == [1, 2] and channel.pipeline.names() == ["Catcher#0"]


def test_removing_the_next_handler_skips_it(log):
    """Who was removed a moment ago is not visited, also from a node that was removed before it."""

    class Cuts(Handler):
        def channel_read(self, ctx, msg):
            ctx.pipeline.remove(self)
            ctx.pipeline.remove("next")
            ctx.fire_channel_read(msg)

    catcher = Catcher()
    channel = EmbeddedChannel(Cuts())
    channel.pipeline.add_last("next", Recorder("next", log))
    channel.pipeline.add_last("last", catcher)
    log.clear()
    channel.write_inbound("msg")
    assert log == ["next: handler_removed"] and catcher.messages == ["msg"]


def test_a_removed_handler_reaches_the_successor_of_a_replaced_one():
    """Its neighbour was replaced after it left: what it fires goes to the new one, the old one sees nothing."""
    log, successor, first = [], Catcher(), Catcher()
    channel = EmbeddedChannel(first, Recorder("old", log))
    ctx = channel.pipeline.context(first)
    channel.pipeline.remove(first)
    channel.pipeline.replace("Recorder#0", None, successor)
    del log[:]
    ctx.fire_channel_read("x")
    assert successor.messages == ["x"] and log == []


def test_adding_behind_sees_the_running_event(log):
    """A handler added behind the present one gets the message that is under way."""

    class Adds(Handler):
        def channel_read(self, ctx, msg):
            if "late" not in ctx.pipeline:
                ctx.pipeline.add_after(ctx.name, "late", Recorder("late", log))
            ctx.fire_channel_read(msg)

    channel = EmbeddedChannel(Adds())
    channel.write_inbound(1)
    assert log == ["late: handler_added", "late: channel_read 1", "late: channel_read_complete"]


def test_removing_everything_in_an_event_is_survived():
    """The last handler standing removes all; the message reaches the tail."""

    class Empties(Handler):
        def channel_read(self, ctx, msg):
            for name in ctx.pipeline.names():
                ctx.pipeline.remove(name)
            ctx.fire_channel_read(msg)

    channel = EmbeddedChannel(Catcher(), Empties())
    channel.pipeline.remove("Catcher#0")
    assert channel.write_inbound("x") and channel.read_inbound() == "x"
    assert channel.pipeline.names() == []


def test_destroy_removes_the_innermost_first(log):
    """At the end of a channel every handler is told, from the inside out."""
    channel = EmbeddedChannel(Recorder("a", log), Recorder("b", log))
    log.clear()
    channel.finish()
    assert log == [
        "b: close",
        "a: close",
        "a: channel_inactive",
        "b: channel_inactive",
        "b: handler_removed",
        "a: handler_removed",
    ]


def test_pipeline_knows_its_channel():
    """Pipeline and context lead to the channel and its allocator."""
    catcher = Catcher()
    channel = EmbeddedChannel(catcher)
    ctx = channel.pipeline.context(catcher)
    assert isinstance(channel.pipeline, Pipeline)
    assert channel.pipeline.channel is channel and ctx.channel is channel and ctx.pipeline is channel.pipeline
    assert ctx.allocator is channel.allocator and channel.pipeline.allocator is channel.allocator
    assert (ctx.name, ctx.handler, ctx.is_removed) == ("Catcher#0", catcher, False)
    assert repr(ctx) == "Context('Catcher#0', Catcher)"
    lines = [line.split() for line in repr(channel.pipeline).splitlines()]
    assert lines[0] == ["Pipeline"]
    assert lines[1:] == [["head", "the", "channel"], ["Catcher#0", "v", "Catcher"], ["tail", "the", "application"]]
    channel.pipeline.remove(catcher)
    assert ctx.is_removed and repr(ctx) == "Context('Catcher#0', Catcher, removed)"
