"""Taking parts over: what is given to a composite, turned into spans.

Owns    what counts as a part, and the giving up of one count of its handle.
Never   the composite it goes to; whether there is room is asked there.
Always  a part is taken also when the call that was to take it fails.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import dead
    from zbuf.buffer._spans import NO_SPAN, make_span
    from zbuf.memory._memory import wrap_memory
from zbuf._types import Buffer
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._spans import Span, Spans
from zbuf.memory._memory import Memory

__all__ = ["give_up", "take_span", "take_spans"]


def take_span(part: "ByteBuf | Buffer") -> Span:
    """Take `part` over, anything but a composite, and return the span of its readable bytes; NO_SPAN if it has none.

    Raises: as take_spans."""
    if isinstance(part, ByteBuf):
        one: ByteBuf = part
        if one._refcnt == 0:
            raise dead()
        n = one._writer - one._reader
        span = make_span(one._memory, one._shift + one._reader, n, one._read_only) if n else NO_SPAN
        one.release()
        return span
    if isinstance(part, str) or part is None:
        raise TypeError(f"a part is a ByteBuf or bytes-like, not {type(part).__name__}")
    memory: Memory = wrap_memory(part)
    return make_span(memory, 0, memory.size, memory.read_only) if memory.size else NO_SPAN


def take_spans(part: "ByteBuf | Buffer") -> list[Span]:
    """Take `part` over, one count of it, and return spans over its readable bytes, none empty.

    Raises: ReferenceCountError, TypeError (neither a buffer nor bytes-like), BufferError (not C-contiguous)."""
    if isinstance(part, Spans):
        many: Spans = part
        if many._refcnt == 0:
            raise dead()
        n = many._writer - many._reader
        if n == many._capacity and many._refcnt == 1 and not many._read_only:
            spans = many._spans[many._first :]  # it dies here, and leaves its own spans
        else:
            spans = many._spans_of(many._reader, n)
        many.release()
        return spans
    span = take_span(part)
    return [span] if span.length else []


def give_up(part: object) -> None:
    """Release a part that was to be taken, if it is a live buffer."""
    if isinstance(part, ByteBuf) and part.refcnt:
        part.release()
