"""What the transport tests share: handlers that note what they see, and channels over scripted sockets.

Owns    the recorder, a promise that counts, the run of a coroutine on a fresh stock loop.
Never   a real socket.
Always  a recorder keeps names and bytes, never a buffer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests import loops
from zbuf.buffer import ByteBuf, release
from zbuf.pipeline import Context, Handler

T = TypeVar("T")


def on_loop(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` on a fresh stock loop: what a scripted socket sees does not depend on the loop."""
    return loops.run(main(), "stock", timeout=20.0)


class Recorder(Handler[Any, Any]):
    """Notes every event; messages are turned into bytes and released."""

    def __init__(self, on: Callable[[str, Context, Any], None] | None = None) -> None:
        self.events: list[str] = []
        self.received = bytearray()
        self.failures: list[BaseException] = []
        self._on = on
        self.ctx: Context | None = None

    def _note(self, name: str, ctx: Context, what: Any = None) -> None:
        self.events.append(name)
        if self._on is not None:
            self._on(name, ctx, what)

    def handler_added(self, ctx: Context) -> None:
        self.ctx = ctx

    def handler_removed(self, ctx: Context) -> None:
        self._note("removed", ctx)

    def channel_active(self, ctx: Context) -> None:
        self._note("active", ctx)

    def channel_inactive(self, ctx: Context) -> None:
        self._note("inactive", ctx)

    def channel_read(self, ctx: Context, msg: Any) -> None:
        data = bytes(msg)
        release(msg)
        self.received += data
        self._note("read", ctx, data)

    def channel_read_complete(self, ctx: Context) -> None:
        self._note("complete", ctx)

    def channel_writability_changed(self, ctx: Context) -> None:
        self._note("writability", ctx)

    def user_event_triggered(self, ctx: Context, event: object) -> None:
        self._note(type(event).__name__, ctx, event)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        self.failures.append(exc)
        self._note("exception", ctx, exc)


class Echo(Handler[ByteBuf, ByteBuf]):
    """Writes back what it reads."""

    def channel_read(self, ctx: Context, msg: ByteBuf) -> None:
        ctx.write(msg)


class Promise:
    """Counts how a write ended."""

    def __init__(self) -> None:
        self.successes = 0
        self.failures: list[BaseException] = []

    def succeed(self) -> None:
        self.successes += 1

    def fail(self, exc: BaseException) -> None:
        self.failures.append(exc)

    @property
    def outcomes(self) -> int:
        """How often it was told: once is right."""
        return self.successes + len(self.failures)


async def turns(n: int = 3) -> None:
    """Let the loop turn."""
    for _ in range(n):
        await asyncio.sleep(0)
