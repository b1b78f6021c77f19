"""The chain of handlers of one channel: names, order, adding and removing, and its two ends.

Owns    the doubly linked list of contexts between head and tail, and the names in it.
Never   sockets, the event loop, bytes; what lies behind both ends is a `Sink`.
Always  names are unique; a handler that is not sharable stands in one place at a time; handlers may come and go while
        an event runs: who was removed is visited no more, who was added sees the events that reach its place later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zbuf.errors import PipelineError
from zbuf.pipeline._context import Context, Ends, HeadContext, Inner, InnerContext, TailContext
from zbuf.pipeline._handler import CHANNEL_READ, INBOUND, OUTBOUND, WRITE, Handler

if TYPE_CHECKING:
    from zbuf._types import WritePromise
    from zbuf.buffer import Allocator
    from zbuf.pipeline._sink import Sink

__all__ = ["Pipeline"]

HOT = ("channel_read", "channel_read_complete", "write")  # the events that an Inner is called for directly


class Pipeline:
    """The handlers of a channel in order, from the channel (first) to the application (last).

    Ownership: `fire_channel_read` and `write` transfer their message. It belongs to its channel's loop and thread.
    Source: Netty ChannelPipeline, without executors."""

    def __init__(self, sink: Sink) -> None:
        self._ends = Ends(sink)
        self._head: Context = HeadContext(self, self._ends, "head", None, OUTBOUND)
        self._tail: Context = TailContext(self, self._ends, "tail", None, INBOUND)
        self._head._next = self._tail
        self._tail._prev = self._head
        self._contexts: dict[str, Context] = {}
        self._counts: dict[str, int] = {}

    @property
    def channel(self) -> Any:
        """The channel this pipeline belongs to (in tests an EmbeddedChannel)."""
        return self._ends.sink

    @property
    def allocator(self) -> Allocator:
        """Where handlers of this pipeline get their buffers; what the sink offered when the pipeline was made."""
        return self._ends.allocator

    @property
    def auto_read(self) -> bool:
        """Whether decoders hand on all they have. When False each `read()` is answered with one message; after
        setting it to True again call `read()` once, so that what was held back comes out."""
        return self._ends.auto_read

    @auto_read.setter
    def auto_read(self, on: bool) -> None:
        self._ends.auto_read = on

    # Handlers come and go. Every call accepts (name, handler) or the handler alone; a missing name is generated.

    def add_first(self, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None = None) -> None:
        """Put a handler next to the channel. Raises: PipelineError for a name that is taken, or a handler that stands
        somewhere and is not sharable; TypeError for what is no Handler. If its `handler_added` raises, the handler is
        removed again and `exception_caught` of the next one inward hears of it."""
        self._add(name, handler, self._head)

    def add_last(self, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None = None) -> None:
        """Put a handler at the inner end. Raises: as add_first."""
        self._add(name, handler, self._tail._prev)

    def add_before(
        self, base: str, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None = None
    ) -> None:
        """Put a handler in front of the one called `base`, nearer to the channel. Raises: KeyError; as add_first."""
        base_ctx: Context = self._contexts[base]
        self._add(name, handler, base_ctx._prev)

    def add_after(
        self, base: str, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None = None
    ) -> None:
        """Put a handler behind the one called `base`, further in. Raises: KeyError; as add_first."""
        self._add(name, handler, self._contexts[base])

    def remove(self, which: str | Handler[Any, Any]) -> Handler[Any, Any]:
        """Take a handler out, by name or itself, and return it. Raises: KeyError if it is not here."""
        ctx = self.context(which)
        self._unlink(ctx)
        self._tell_removed(ctx)
        return ctx.handler

    def replace(
        self,
        which: str | Handler[Any, Any],
        name: str | Handler[Any, Any] | None,
        handler: Handler[Any, Any] | None = None,
    ) -> Handler[Any, Any]:
        """Put another handler in the place of one, and return the old one. What the old one still hands on reaches the
        new one. Raises: KeyError if the old one is not here; as add_first."""
        old = self.context(which)
        new = self._made(name, handler, old.name)
        del self._contexts[old.name]
        self._contexts[new.name] = new
        new._prev, new._next = old._prev, old._next
        new._prev._next = new._next._prev = new
        old._mask = 0
        old.is_removed = True
        old.handler._stands_in -= 1
        self._tell_added(new)
        old._prev = old._next = new  # inward and outward, the new one is its neighbour
        self._tell_removed(old)
        return old.handler

    def get(self, name: str) -> Handler[Any, Any]:
        """Return the handler called `name`. Raises: KeyError."""
        return self._contexts[name].handler

    def context(self, which: str | Handler[Any, Any]) -> Context:
        """Return the context of a handler, by name or itself (of a sharable one the first). Raises: KeyError."""
        if isinstance(which, str):
            return self._contexts[which]
        ctx: Context = self._head._next
        while ctx is not self._tail:
            if ctx.handler is which:
                return ctx
            ctx = ctx._next
        raise KeyError(f"this {type(which).__name__} is not in the pipeline")

    def names(self) -> list[str]:
        """Return the names from the channel inward."""
        found = []
        ctx: Context = self._head._next
        while ctx is not self._tail:
            found.append(ctx.name)
            ctx = ctx._next
        return found

    def destroy(self) -> None:
        """Remove all handlers, the innermost first. The channel calls it once, after channel_inactive."""
        while self._tail._prev is not self._head:
            self.remove(self._tail._prev.name)

    def __contains__(self, which: object) -> bool:
        if isinstance(which, str):
            return which in self._contexts
        return any(ctx.handler is which for ctx in self._contexts.values())

    def __len__(self) -> int:
        return len(self._contexts)

    def __repr__(self) -> str:
        """Draw the chain, one handler a line, with the hot events it sees: reads travel down, writes travel up."""
        rows = [("head", "the channel", " ")]
        ctx: Context = self._head._next
        while ctx is not self._tail:
            kind = type(ctx.handler)
            rows.append((ctx.name, kind.__name__, _arrows(kind._events)))
            ctx = ctx._next
        rows.append(("tail", "the application", " "))
        width = max(len(name) for name, _, _ in rows)
        return "\n".join(["Pipeline", *(f"  {name:<{width}}  {arrows:<2} {kind}" for name, kind, arrows in rows)])

    # Inbound events, from the channel inward.

    def fire_channel_active(self) -> None:
        """The channel is connected."""
        self._head.fire_channel_active()

    def fire_channel_inactive(self) -> None:
        """The channel is closed."""
        self._head.fire_channel_inactive()

    def fire_channel_read(self, msg: Any) -> None:
        """A message came. Ownership: transfers."""
        self._head.fire_channel_read(msg)

    def fire_channel_read_complete(self) -> None:
        """All messages of one wake-up came."""
        self._head.fire_channel_read_complete()

    def fire_channel_writability_changed(self) -> None:
        """The outbound queue crossed a mark."""
        self._head.fire_channel_writability_changed()

    def fire_user_event_triggered(self, event: object) -> None:
        """Something else happened."""
        self._head.fire_user_event_triggered(event)

    def fire_exception_caught(self, exc: Exception) -> None:
        """Something outside the handlers failed."""
        self._head.fire_exception_caught(exc)

    # Outbound operations, from the application outward. See Context for what `write` transfers and raises.

    def write(self, msg: Any, promise: WritePromise | None = None) -> None:
        """Write `msg` through all handlers."""
        self._tail.write(msg, promise)

    def flush(self) -> None:
        """Send what was written so far."""
        self._tail.flush()

    def read(self) -> None:
        """Ask for one more message (only where reads are not automatic)."""
        self._tail.read()

    def close(self) -> None:
        """Close the channel."""
        self._tail.close()

    # Inside.

    def _add(self, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None, before: Context) -> None:
        ctx = self._made(name, handler, None)
        self._contexts[ctx.name] = ctx
        ctx._prev, ctx._next = before, before._next
        ctx._prev._next = ctx._next._prev = ctx
        self._tell_added(ctx)

    def _made(
        self, name: str | Handler[Any, Any] | None, handler: Handler[Any, Any] | None, leaving: str | None
    ) -> Context:
        """Return an unlinked context; the name of a handler that is `leaving` may be used again."""
        if handler is None and not isinstance(name, str):
            name, handler = None, name
        if not isinstance(handler, Handler):
            raise TypeError(f"a Handler is needed, not {type(handler).__name__}")
        if handler._stands_in and not handler.sharable:
            kind = type(handler).__name__
            raise PipelineError(f"this {kind} stands in a pipeline already, and {kind}.sharable is False")
        if name is None:
            name = self._generated(type(handler).__name__)
        elif not isinstance(name, str):
            raise TypeError(f"a name is a str, not {type(name).__name__}")
        elif (name in self._contexts and name != leaving) or name in ("head", "tail"):
            raise PipelineError(f"the name {name!r} is taken")
        node = InnerContext if _is_called_directly(type(handler)) else Context
        handler._stands_in += 1
        return node(self, self._ends, name, handler, handler._events)

    def _generated(self, kind: str) -> str:
        while True:
            n = self._counts.get(kind, 0)
            self._counts[kind] = n + 1
            if f"{kind}#{n}" not in self._contexts:
                return f"{kind}#{n}"

    def _unlink(self, ctx: Context) -> None:
        """Take `ctx` out of the chain; it keeps its own links, so that it still reaches its neighbours."""
        del self._contexts[ctx.name]
        ctx._prev._next = ctx._next
        ctx._next._prev = ctx._prev
        ctx._mask = 0
        ctx.is_removed = True
        ctx.handler._stands_in -= 1

    def _tell_added(self, ctx: Context) -> None:
        try:
            ctx.handler.handler_added(ctx)
        except Exception as exc:
            if not ctx.is_removed:
                self._unlink(ctx)
                self._tell_removed(ctx)
            ctx.fire_exception_caught(exc)

    def _tell_removed(self, ctx: Context) -> None:
        try:
            ctx.handler.handler_removed(ctx)
        except Exception as exc:
            ctx.fire_exception_caught(exc)


def _is_called_directly(kind: type) -> bool:
    """Return whether `kind` is an adapter of ours whose hot callbacks no class in Python has overridden."""
    known: bool | None = kind.__dict__.get("_called_directly")
    if known is None:
        known = issubclass(kind, Inner) and all(_is_own(kind, name) for name in HOT)
        kind._called_directly = known  # type: ignore[attr-defined]  # a cache on the class that it is about
    return known


def _arrows(events: int) -> str:
    """Return `v` for a handler that sees reads, `^` for one that sees writes."""
    return ("v" if events & CHANNEL_READ else " ") + ("^" if events & WRITE else " ")


def _is_own(kind: type, name: str) -> bool:
    definer = next(base for base in kind.__mro__ if name in base.__dict__)
    return definer is Handler or (issubclass(definer, Inner) and not issubclass(definer, Handler))
