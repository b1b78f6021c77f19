"""The pollers, over real descriptors: who hears of what, and what happens when numbers change hands.

Owns    the promises of EpollPoller, LoopPoller and the list of turns.
Never   a channel.
Always  both kinds of poller and both kinds of loop, where they promise the same."""

import asyncio
import gc
import itertools
import logging
import os
import socket
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import loops
from tests.transport.kit import Promise, turns
from zbuf.errors import UsageError
from zbuf.pipeline import Context, Handler
from zbuf.transport import ChannelOptions
from zbuf.transport._poller import (
    ERROR,
    FLUSHES_TOGETHER,
    HANGUP,
    READ,
    SILENT,
    WRITE,
    Callback,
    EpollPoller,
    Poller,
    poller_for,
)
from zbuf.transport._server import make_channel

Run = Callable[..., Any]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected stream sockets, not blocking."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def here() -> Poller:
    """The poller of the running loop."""
    return poller_for(asyncio.get_running_loop())


@pytest.mark.usefixtures("any_poller")
def test_a_member_hears_what_it_asked_for_until_it_leaves(run: Run, pair: Any) -> None:
    """Readable while it wants to read, writable while it wants to write, nothing afterwards."""
    ours, theirs = pair

    async def main() -> None:
        heard: list[int] = []
        poller = here()
        member = Callback(heard.append)
        poller.add(member, ours.fileno(), READ)
        await turns()
        assert [] == heard
        theirs.send(b"x")
        await asyncio.sleep(0.01)
        assert heard and all(event & READ for event in heard)
        poller.change(member, WRITE)
        await asyncio.sleep(0.01)
        assert heard[-1] & WRITE and not heard[-1] & READ
        poller.change(member, 0)
        heard.clear()
        await asyncio.sleep(0.01)
        assert [] == heard
        assert poller.remove(member)
        assert poller.remove(member), "again is a no-op"
        assert poller.is_closed, "the last member has left"

    run(main())


def test_errors_and_hang_ups_come_without_interest_and_silence_stops_them(run: Run, pair: Any) -> None:
    """The epoll set tells a hang-up to a member that wants nothing, again and again, until it is silenced."""
    ours, theirs = pair

    async def main() -> None:
        heard: list[int] = []
        poller = here()
        member = Callback(heard.append)
        poller.add(member, ours.fileno(), 0)
        theirs.close()
        await asyncio.sleep(0.01)
        assert heard and heard[0] & (HANGUP | ERROR)
        poller.change(member, SILENT)
        heard.clear()
        await asyncio.sleep(0.01)
        assert [] == heard
        poller.change(member, READ)
        await asyncio.sleep(0.01)
        assert heard
        poller.remove(member)

    run(main())


def test_one_loop_has_one_poller_and_the_loop_sees_one_descriptor(run: Run, pair: Any) -> None:
    """All channels of a loop share the set; a new one is made after it was given up."""
    ours, theirs = pair

    async def main() -> None:
        poller = here()
        assert poller is here()
        first, second = Callback(lambda events: None), Callback(lambda events: None)
        poller.add(first, ours.fileno(), READ)
        poller.add(second, theirs.fileno(), READ)
        assert 2 == poller.members
        poller.remove(first)
        assert not poller.is_closed
        poller.remove(second)
        assert poller.is_closed
        assert poller is not here()
        here().close()

    run(main())


@pytest.mark.usefixtures("any_poller")
def test_a_poller_whose_last_member_leaves_inside_its_event_is_given_up(run: Run, pair: Any) -> None:
    """The set is closed at the end of that event, not at some later collection."""
    ours, theirs = pair

    async def main() -> None:
        poller = here()

        def leave(events: int) -> None:
            poller.remove(member)

        member = Callback(leave)
        poller.add(member, ours.fileno(), READ)
        theirs.send(b"x")
        await asyncio.sleep(0.01)
        assert poller.is_closed

    run(main())


def test_an_event_never_reaches_a_member_that_got_the_number_meanwhile(run: Run) -> None:
    """Two members are ready; the first closes the other, and a newcomer takes its number: it hears nothing."""

    async def main() -> None:
        poller = here()
        heard: list[str] = []
        pairs = [socket.socketpair() for _ in range(2)]
        members: list[Callback] = []

        def ready(k: int) -> None:
            heard.append("old")
            other = pairs[1 - k][0]
            number = other.fileno()
            poller.remove(members[1 - k])
            other.close()
            pairs.append(socket.socketpair())
            (same,) = [sock for sock in pairs[-1] if sock.fileno() == number]
            members.append(Callback(lambda events: heard.append("newcomer")))
            poller.add(members[-1], same.fileno(), READ)
            poller.change(members[k], 0)

        for k in range(2):
            members.append(Callback(lambda events, k=k: ready(k)))  # type: ignore[misc]  # mypy cannot infer the default
            pairs[k][1].send(b"x")
            poller.add(members[k], pairs[k][0].fileno(), READ)
        await asyncio.sleep(0.02)
        assert ["old"] == heard
        for member in members:
            poller.remove(member)
        for ours, theirs in pairs:
            ours.close()
            theirs.close()

    run(main())


@pytest.mark.usefixtures("any_poller")
def test_one_members_exception_does_not_keep_others_from_their_events(
    run: Run, pair: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, the others are served, the loop goes on."""
    ours, theirs = pair

    async def main() -> None:
        poller = here()
        heard: list[int] = []

        def fail(events: int) -> None:
            poller.change(bad, 0)
            raise ValueError("bad member")

        bad, good = Callback(fail), Callback(heard.append)
        poller.add(bad, ours.fileno(), WRITE)
        poller.add(good, theirs.fileno(), WRITE)
        await asyncio.sleep(0.01)
        assert heard
        poller.remove(bad)
        poller.remove(good)

    with caplog.at_level(logging.ERROR, "zbuf"):
        run(main())
    assert 1 == len(caplog.records)
    assert "bad member" in str(caplog.records[0].exc_info)


@pytest.mark.usefixtures("any_poller")
def test_a_number_that_changed_hands_is_noticed_before_the_close(pair: Any, any_poller: str) -> None:
    """Somebody closed our descriptor and got it back for another file: remove() says that it is not ours to close."""
    if any_poller == "loop":
        pytest.skip("only the kernel's set can tell")
    ours, _theirs = pair

    async def main() -> None:
        poller = here()
        member = Callback(lambda events: None)
        poller.add(member, ours.fileno(), READ)
        other = os.open(os.devnull, os.O_RDONLY)
        os.dup2(other, ours.fileno())
        os.close(other)
        assert not poller.remove(member)

    loops.run(main(), "stock")


def test_calls_from_elsewhere_are_usage_errors() -> None:
    """Another thread, and a loop that is closed."""

    async def main() -> Poller:
        poller = here()
        poller.check()

        def elsewhere() -> None:
            with pytest.raises(UsageError, match="thread"):
                poller.check()

        await asyncio.to_thread(elsewhere)
        return poller

    poller = loops.run(main(), "stock")
    with pytest.raises(UsageError, match="closed"):
        poller.check()
    poller.close()


def test_a_poller_without_members_does_not_keep_its_loop_alive() -> None:
    """The registry holds no reference that outlives the loop."""

    async def main() -> "weakref.ref[Poller]":
        poller = here()
        found = weakref.ref(poller)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            member = Callback(lambda events: None)
            poller.add(member, ours.fileno(), READ)
            poller.remove(member)
        return found

    found = loops.run(main(), "stock")
    gc.collect()
    assert found() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_leaves_the_parents_set_alone(pair: Any) -> None:
    """The child's calls are UsageErrors; the parent goes on to hear its events after the child has exited."""
    ours, theirs = pair

    async def main() -> None:
        poller = here()
        if not isinstance(poller, EpollPoller):
            pytest.skip("no epoll here")
        heard: list[int] = []
        member = Callback(heard.append)
        poller.add(member, ours.fileno(), READ)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                poller.remove(member)
                try:
                    poller.check()
                except UsageError:
                    status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert 0 == os.waitstatus_to_exitcode(status)
        theirs.send(b"x")
        await asyncio.sleep(0.01)
        assert heard
        poller.remove(member)

    if sys.version_info >= (3, 12):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a child of a process with threads
            loops.run(main(), "stock")
    else:
        loops.run(main(), "stock")


def test_a_loop_that_cannot_watch_descriptors_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proactor loop of another system says NotImplementedError; the user learns what to do."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def refuse(*args: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(loop, "add_reader", refuse)
        with pytest.raises(UsageError, match="cannot watch"):
            poller_for(loop)

    loops.run(main(), "stock")


def test_replies_wait_for_a_bounded_number_of_others(run: Run) -> None:
    """A hundred channels are ready at once: no reply waits for the handlers of more than 31 others."""

    async def main() -> None:
        order: list[str] = []

        class Notes(Handler[Any, Any]):
            def channel_read(self, ctx: Context, msg: Any) -> None:
                order.append("read")
                promise = Promise()
                promise.succeed = lambda: order.append("sent")  # type: ignore[method-assign]  # the note is all it does
                ctx.write(msg, promise)

        poller = here()
        if not isinstance(poller, EpollPoller):
            pytest.skip("one callback for each descriptor: nobody waits")
        pairs = [socket.socketpair() for _ in range(100)]
        channels = []
        for ours, theirs in pairs:
            ours.setblocking(False)
            channel = make_channel(ours, poller, ChannelOptions(), None, keeps_messages=False, is_accepted=True)
            channel.pipeline.add_last(Notes())
            channel._start()
            channels.append(channel)
            theirs.send(b"x")
        await turns(4)
        assert 100 == order.count("read") == order.count("sent")
        together = [len(list(group)) for name, group in itertools.groupby(order) if name == "read"]
        assert [FLUSHES_TOGETHER] * 3 + [4] == together
        for channel, (_, theirs) in zip(channels, pairs, strict=True):
            assert b"x" == theirs.recv(10)
            theirs.close()
            channel.close()
            await channel.wait_closed()

    run(main())
