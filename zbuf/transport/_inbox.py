"""The inbox: messages that came out of the pipeline, kept for `async for`.

Owns    the messages nobody has taken yet, in order, and how the input ended.
Never   a pipeline, a socket; it says when it is full and somebody else pauses the reading.
Always  a message is handed to exactly one taker, also when the taker is cancelled while it waits; the end comes
        behind all messages and stays.
"""

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from zbuf.buffer import release

__all__ = ["Inbox", "InboxCore", "NextMessage"]


class InboxCore:
    """A bounded queue with an end. Full is advice: what one receive brought is kept whole."""

    def __init__(self, limit: int, on_room: Callable[[], None]) -> None:
        self._messages: deque[Any] = deque()
        self._takers: deque[Any] = deque()  # futures of those who wait
        self._on_room = on_room
        self.count = 0
        self.limit = limit
        self.is_ended = False
        self.is_used = False
        self.failure: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more should be received for now."""
        return self.count >= self.limit

    def put(self, msg: Any) -> None:
        """Keep a message. Ownership: transfers; after the end it is released."""
        if self.is_ended:
            release(msg)
            return
        self._messages.append(msg)
        self.count += 1
        if self._takers:
            self._wake_one()

    def take(self) -> Any:
        """Take the next message, which must be there. Ownership: transfers to the caller."""
        msg = self._messages.popleft()
        self.count -= 1
        if self.count == 0 or self.count == self.limit // 4:
            self._on_room()
        return msg

    def peek(self) -> Any:
        """Return the next message, which must be there, and leave it. Ownership: borrows."""
        return self._messages[0]

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
        count = self.count
        self.count = 0
        while self._messages:
            release(self._messages.popleft())
        return count

    def _enlist(self, taker: Any) -> None:
        """Wake this future when there is something, or nothing more will come; a cancelled one is passed over."""
        while self._takers and self._takers[0].done():
            self._takers.popleft()
        self._takers.append(taker)

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done() and not taker.get_loop().is_closed():
                taker.set_result(None)
                return


class Inbox(InboxCore):
    """The inbox, and how one waits for it."""

    __slots__ = ("_loop",)

    def __init__(self, loop: AbstractEventLoop, limit: int, on_room: Callable[[], None]) -> None:
        super().__init__(limit, on_room)
        self._loop = loop

    async def wait(self) -> bool:
        """Wait until there is a message or the end; return whether there is a message. Cancelling loses nothing."""
        self.is_used = True
        while not self.count and not self.is_ended:
            taker = self._loop.create_future()
            self._enlist(taker)
            try:
                await taker
            except BaseException:
                # Cancelled: if the wake-up was for us, the next in line must hear of it.
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                raise
        return self.count > 0


class NextMessage:
    """What `__anext__` returns: the next message at once if there is one when it is awaited, else after a wait.

    One object serves a channel for life: it holds nothing between two awaits.
    """

    def __init__(self, inbox: InboxCore, wait: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._inbox = inbox
        self._wait = wait

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._inbox.count:
            return self  # type: ignore[return-value]  # an iterator that ends with the message as its value
        return self._wait().__await__()

    def __iter__(self) -> "NextMessage":
        return self

    def __next__(self) -> Any:
        raise StopIteration(self._inbox.take())
