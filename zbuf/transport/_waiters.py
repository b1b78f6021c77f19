"""Futures for those who wait, and awaitables for those who need not.

Owns    lists of futures that are woken together; the shared awaitable of a write that has nothing to wait for.
Never   what is waited for.
Always  an awaitable that nobody awaits costs nothing and says nothing, unless it carries a mistake of the caller.
"""

import logging
from asyncio import AbstractEventLoop, Future
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any

from zbuf.errors import ChannelClosedError

__all__ = ["DONE_ALREADY", "FailedWrite", "Later", "Marker", "Waiters"]

logger = logging.getLogger("zbuf.transport")


class Waiters:
    """Those who wait for the same thing."""

    __slots__ = ("_futures", "_loop")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._futures: list[Future[None]] | tuple[()] = ()  # most channels are never waited for

    def __len__(self) -> int:
        return len(self._futures)

    async def wait(self) -> None:
        """Wait for the next `wake`."""
        future = self._loop.create_future()
        self._futures = [*self._futures, future]
        try:
            await future
        finally:
            if not future.done() or future.cancelled():
                self._futures = [other for other in self._futures if other is not future]

    def wake(self) -> None:
        """Let everybody look again. On a closed loop nobody is left to do so."""
        futures, self._futures = self._futures, ()
        if self._loop.is_closed():
            return
        for future in futures:
            if not future.done():
                future.set_result(None)


class Marker:
    """A promise that somebody awaits: the `future` of one place in the outbound queue."""

    __slots__ = ("future",)

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.future: Future[None] = loop.create_future()

    def succeed(self) -> None:
        """Everything before the marker is in the kernel."""
        if self._is_awaited():
            self.future.set_result(None)

    def fail(self, exc: BaseException) -> None:
        """The channel closed first."""
        if self._is_awaited():
            self.future.set_exception(exc)

    def _is_awaited(self) -> bool:
        return not self.future.done() and not self.future.get_loop().is_closed()


class _DoneAlready(Awaitable[None]):
    """An awaitable that never waits."""

    __slots__ = ()

    def __await__(self) -> Iterator[Any]:  # type: ignore[override]  # an iterator that is exhausted will do
        return iter(())

    def __repr__(self) -> str:
        return "<a write that need not be waited for>"


DONE_ALREADY = _DoneAlready()


class Later(Awaitable[None]):
    """An awaitable that starts to wait when it is awaited, each time anew."""

    __slots__ = ("_wait",)

    def __init__(self, wait: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._wait = wait

    def __await__(self) -> Generator[Any, Any, None]:
        return self._wait().__await__()


class FailedWrite(Awaitable[None]):
    """The awaitable of a write that failed at the call: raises when awaited.

    A closed channel is news that may be ignored; any other failure is logged if nobody awaits it.
    """

    __slots__ = ("_exc", "_was_seen")

    def __init__(self, exc: BaseException) -> None:
        self._exc = exc
        self._was_seen = isinstance(exc, ChannelClosedError)

    def __await__(self) -> Generator[Any, Any, None]:
        self._was_seen = True
        raise self._exc
        yield  # a generator, so that the exception comes at the await

    def __del__(self) -> None:
        if not self._was_seen:
            logger.error("a write failed and nobody awaited it: %r", self._exc)
