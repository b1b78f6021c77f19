"""One node of the chain: where a handler stands, and how an event finds the next one.

Owns    the links between nodes, the walk to the next handler that wants an event, what becomes of an exception.
Never   names, adding and removing (the pipeline does that), sockets, what a message is.
Always  an event visits only handlers that override it; a removed node is visited no more, but what stands in it can
        still reach its neighbours. Exceptions travel inward only, so an error in an error handler cannot loop.

KeyboardInterrupt, SystemExit and CancelledError are not a handler's failures: they pass through every frame here.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from zbuf.buffer._bytebuf import ByteBuf
from zbuf.errors import WriteLimitError
from zbuf.pipeline import _handler
from zbuf.pipeline._timer import HandlerCall

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from zbuf._types import WritePromise
    from zbuf.buffer import Allocator
    from zbuf.pipeline._handler import Handler
    from zbuf.pipeline._pipeline import Pipeline
    from zbuf.pipeline._sink import Sink
    from zbuf.pipeline._timer import Task, Timer

__all__ = ["Context"]

CHANNEL_ACTIVE = _handler.CHANNEL_ACTIVE
CHANNEL_INACTIVE = _handler.CHANNEL_INACTIVE
CHANNEL_READ = _handler.CHANNEL_READ
CHANNEL_READ_COMPLETE = _handler.CHANNEL_READ_COMPLETE
CHANNEL_WRITABILITY_CHANGED = _handler.CHANNEL_WRITABILITY_CHANGED
USER_EVENT_TRIGGERED = _handler.USER_EVENT_TRIGGERED
EXCEPTION_CAUGHT = _handler.EXCEPTION_CAUGHT
WRITE = _handler.WRITE
FLUSH = _handler.FLUSH
READ = _handler.READ
CLOSE = _handler.CLOSE


class Ends:
    """What all nodes of one pipeline share: the sink behind both ends, its allocator, whether reads are automatic.

    A sink with a true attribute `prefers_bytes` gets a header that nobody else will see as bytes, not as a buffer."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.allocator: Allocator = sink.allocator
        self.auto_read = True
        self.prefers_bytes: bool = bool(getattr(sink, "prefers_bytes", False))


class Context:
    """A handler's place in a pipeline: it passes events on from there, and writes from there outward."""

    def __init__(self, pipeline: Any, ends: Ends, name: str, handler: Any, mask: int) -> None:
        self.pipeline: Pipeline = pipeline
        self.name = name
        self.handler: Handler[Any, Any] = handler
        self.is_removed = False
        self._ends = ends
        self._mask = mask
        self._next: Context = self
        self._prev: Context = self

    @property
    def channel(self) -> Any:
        """The channel this pipeline belongs to (in tests an EmbeddedChannel)."""
        return self._ends.sink

    @property
    def allocator(self) -> Allocator:
        """Where handlers of this pipeline get their buffers."""
        return self._ends.allocator

    # Time.

    def time(self) -> float:
        """Return the channel's clock, in seconds: only differences mean something."""
        now: float = self._ends.sink.sink_time()
        return now

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call `call()` in `seconds`, as an event of this handler; never, once it was removed. `cancel()` the result.

        What it raises goes to `exception_caught` of the next handler inward."""
        timer: Timer = self._ends.sink.sink_call_later(seconds, HandlerCall(self, call))
        return timer

    def run(self, coroutine: Coroutine[Any, Any, object]) -> Task:
        """Run a coroutine on the channel's loop, and return its task; the channel keeps it until it ends.

        What it raises goes to `exception_caught` of the next handler inward. Cancel it when the handler leaves."""
        task: Task = self._ends.sink.sink_run(coroutine, self.fire_exception_caught)
        return task

    # Inbound: to the next handler inward.

    def fire_channel_active(self) -> None:
        """Tell the next handler inward that the channel is connected."""
        self._inward(CHANNEL_ACTIVE)._on_active()

    def fire_channel_inactive(self) -> None:
        """Tell the next handler inward that the channel is closed."""
        self._inward(CHANNEL_INACTIVE)._on_inactive()

    def fire_channel_read(self, msg: Any) -> None:
        """Hand `msg` to the next handler inward. Ownership: transfers the object itself."""
        node = self._next
        while not node._mask & CHANNEL_READ:
            node = node._next
        node._on_read(msg)

    def fire_channel_read_complete(self) -> None:
        """Tell the next handler inward that all messages of one wake-up came."""
        self._inward(CHANNEL_READ_COMPLETE)._on_read_complete()

    def fire_channel_writability_changed(self) -> None:
        """Tell the next handler inward that the outbound queue crossed a mark."""
        self._inward(CHANNEL_WRITABILITY_CHANGED)._on_writability()

    def fire_user_event_triggered(self, event: object) -> None:
        """Hand `event` to the next handler inward."""
        self._inward(USER_EVENT_TRIGGERED)._on_event(event)

    def fire_exception_caught(self, exc: Exception) -> None:
        """Hand `exc` to the next handler inward."""
        self._inward(EXCEPTION_CAUGHT)._on_exception(exc)

    # Outbound: to the next handler outward.

    def write(self, msg: Any, promise: WritePromise | None = None) -> None:
        """Write `msg` from here outward.

        Ownership: transfers, also when it raises: a buffer's handle is dead afterwards, unless it was retained.
        Raises: what a handler or the channel further out raises (EncodeError, UnsupportedMessageError ...); with a
        promise that one fails instead. WriteLimitError is raised in any case."""
        node = self._prev
        while not node._mask & WRITE:
            node = node._prev
        if promise is None:
            node._do_write(msg, None)
            return
        try:
            node._do_write(msg, promise)
        except WriteLimitError:
            raise
        except Exception as exc:
            promise.fail(exc)

    def flush(self) -> None:
        """Send what was written so far."""
        self._outward(FLUSH)._do_flush()

    def read(self) -> None:
        """Ask for one more message (only where reads are not automatic)."""
        self._outward(READ)._do_read()

    def close(self) -> None:
        """Close the channel."""
        self._outward(CLOSE)._do_close()

    # The walk.

    def _inward(self, event: int) -> Context:
        node = self._next
        while not node._mask & event:
            node = node._next
        return node

    def _outward(self, event: int) -> Context:
        node = self._prev
        while not node._mask & event:
            node = node._prev
        return node

    def is_outermost(self) -> bool:
        """Return whether what is written from here reaches the sink without another handler seeing it."""
        return type(self._outward(WRITE)) is HeadContext

    def pass_write(self, msg: Any, promise: Any) -> None:
        """Write outward; unlike `write` it raises also when there is a promise, which is then left alone."""
        node = self._prev
        while not node._mask & WRITE:
            node = node._prev
        node._do_write(msg, promise)

    def _failed(self, exc: Exception) -> None:
        """A callback of this node's handler raised: the next handler inward hears of it."""
        self._inward(EXCEPTION_CAUGHT)._on_exception(exc)

    # An event arrives at this node. Arguments are dropped before an error is reported: the traceback holds this frame.

    def _on_active(self) -> None:
        try:
            self.handler.channel_active(self)
        except Exception as exc:
            self._failed(exc)

    def _on_inactive(self) -> None:
        try:
            self.handler.channel_inactive(self)
        except Exception as exc:
            self._failed(exc)

    def _on_read(self, msg: Any) -> None:
        try:
            self.handler.channel_read(self, msg)
        except Exception as exc:
            msg = None
            self._failed(exc)

    def _on_read_complete(self) -> None:
        try:
            self.handler.channel_read_complete(self)
        except Exception as exc:
            self._failed(exc)

    def _on_writability(self) -> None:
        try:
            self.handler.channel_writability_changed(self)
        except Exception as exc:
            self._failed(exc)

    def _on_event(self, event: object) -> None:
        try:
            self.handler.user_event_triggered(self, event)
        except Exception as exc:
            event = None
            self._failed(exc)

    def _on_exception(self, exc: Exception) -> None:
        try:
            self.handler.exception_caught(self, exc)
        except Exception as raised:
            if raised is not exc and raised.__context__ is None:
                raised.__context__ = exc  # the first cause is kept
            self._failed(raised)

    def _do_write(self, msg: Any, promise: Any) -> None:
        if isinstance(msg, ByteBuf):
            self.handler.write(self, msg.move(), promise)
        else:
            self.handler.write(self, msg, promise)

    def _do_flush(self) -> None:
        try:
            self.handler.flush(self)
        except Exception as exc:
            self._failed(exc)

    def _do_read(self) -> None:
        try:
            self.handler.read(self)
        except Exception as exc:
            self._failed(exc)

    def _do_close(self) -> None:
        try:
            self.handler.close(self)
        except Exception as exc:
            self._failed(exc)

    def __repr__(self) -> str:
        gone = ", removed" if self.is_removed else ""
        return f"Context({self.name!r}, {type(self.handler).__name__}{gone})"


class HeadContext(Context):
    """The end at the channel: what is written or asked for here goes to the sink."""

    def _do_write(self, msg: Any, promise: Any) -> None:
        self._ends.sink.sink_write(msg, promise)

    def _do_flush(self) -> None:
        self._ends.sink.sink_flush()

    def _do_read(self) -> None:
        self._ends.sink.sink_read()

    def _do_close(self) -> None:
        self._ends.sink.sink_close()


class TailContext(Context):
    """The inner end: messages and exceptions that nobody wanted go to the sink, other events end here."""

    def _on_active(self) -> None:
        pass

    def _on_inactive(self) -> None:
        pass

    def _on_read(self, msg: Any) -> None:
        self._ends.sink.sink_unread(msg)

    def _on_read_complete(self) -> None:
        pass

    def _on_writability(self) -> None:
        pass

    def _on_event(self, event: object) -> None:
        pass

    def _on_exception(self, exc: Exception) -> None:
        self._ends.sink.sink_failed(exc)
        _let_go(exc)


class Inner:
    """A handler of our own that the node calls without Python's method call; its subclasses override all it wants."""

    def inner_read(self, ctx: Context, msg: Any) -> None:
        """As Handler.channel_read."""

    def inner_read_complete(self, ctx: Context) -> None:
        """As Handler.channel_read_complete."""

    def inner_write(self, ctx: Context, msg: Any, promise: Any) -> None:
        """As Handler.write, but `msg` is the writer's own handle: move it before foreign code sees it."""


class InnerContext(Context):
    """The place of an `Inner`: the three hot events go by C calls, the others as everywhere."""

    def __init__(self, pipeline: Any, ends: Ends, name: str, handler: Any, mask: int) -> None:
        super().__init__(pipeline, ends, name, handler, mask)
        self._inner: Inner = handler

    def _on_read(self, msg: Any) -> None:
        try:
            self._inner.inner_read(self, msg)
        except Exception as exc:
            msg = None
            self._failed(exc)

    def _on_read_complete(self) -> None:
        try:
            self._inner.inner_read_complete(self)
        except Exception as exc:
            self._failed(exc)

    def _do_write(self, msg: Any, promise: Any) -> None:
        self._inner.inner_write(self, msg, promise)


def _let_go(exc: BaseException | None) -> None:
    """Clear the frames of an exception nobody handled: who keeps it must not keep the messages in its traceback."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        traceback.clear_frames(exc.__traceback__)
        exc = exc.__cause__ or exc.__context__
