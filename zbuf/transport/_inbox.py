"""The inbox: messages that came out of the pipeline, kept for `async for`.

Owns    the messages nobody has taken yet, in order, and how the input ended.
Never   a pipeline, a socket; it says when it is full and somebody else pauses the reading.
Always  a message is handed to exactly one taker, also when the taker is cancelled while it waits; the end comes
        behind all messages and stays.
"""

from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from zbuf.buffer import release

__all__ = ["Inbox"]

In = TypeVar("In")


class Inbox(Generic[In]):
    """A bounded queue with an end. Full is advice: what one receive brought is kept whole."""

    __slots__ = ("_loop", "_messages", "_on_room", "_takers", "failure", "is_ended", "is_used", "limit")

    def __init__(self, loop: AbstractEventLoop, limit: int, on_room: Callable[[], None]) -> None:
        self._loop = loop
        self._messages: deque[In] = deque()
        self._takers: deque[Future[None]] = deque()
        self._on_room = on_room
        self.limit = limit
        self.is_ended = False
        self.is_used = False
        self.failure: BaseException | None = None

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether no more should be received for now."""
        return len(self._messages) >= self.limit

    def put(self, msg: In) -> None:
        """Keep a message. Ownership: transfers; after the end it is released."""
        if self.is_ended:
            release(msg)
            return
        self._messages.append(msg)
        self._wake_one()

    def end(self, failure: BaseException | None) -> None:
        """No message will follow; `failure` says why, None is a clean end. Only the first end counts."""
        if self.is_ended:
            return
        self.is_ended = True
        self.failure = failure
        while self._takers:
            self._wake_one()

    def discard(self) -> int:
        """Release what nobody took and return how many messages that were."""
        count = len(self._messages)
        while self._messages:
            release(self._messages.popleft())
        return count

    async def wait(self) -> bool:
        """Wait until there is a message or the end; return whether there is a message. Cancelling loses nothing."""
        self.is_used = True
        while not self._messages and not self.is_ended:
            taker = self._loop.create_future()
            self._takers.append(taker)
            try:
                await taker
            except BaseException:
                # Cancelled: if the wake-up was for us, the next in line must hear of it.
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                elif taker in self._takers:
                    self._takers.remove(taker)
                raise
        return bool(self._messages)

    def take(self) -> In:
        """Take the next message, which must be there. Ownership: transfers to the caller."""
        msg = self._messages.popleft()
        if len(self._messages) == self.limit // 4 or not self._messages:
            self._on_room()
        return msg

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
