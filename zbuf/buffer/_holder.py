"""BufferHolder: what a message with a payload is, besides its payload.

Owns    delegation of the count, copies of the holder with another content, equality.
Never   a field of a message: those are its subclasses'.
Always  the count of a holder is that of its content, which it holds under one handle and does not copy.
"""

from typing import Any, Self

from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["BufferHolder"]


class BufferHolder:
    """A message around one buffer, its `content`. Subclass it for your own messages.

    The holder takes the handle as it is; whoever releases the holder releases the content. `zbuf.retain`,
    `zbuf.release` and `with` treat it like a buffer. A subclass may be a dataclass, mutable or frozen, with or without
    slots, that names `content` among its fields; it then compares as dataclasses do, all fields, content included.
    Source: Netty ByteBufHolder, DefaultByteBufHolder.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Frame(BufferHolder):
    ...     stream: int
    ...     content: ByteBuf
    >>> frame = Frame(7, zbuf.wrap(b"payload"))
    >>> frame.replace(frame.content.slice(0, 3)) == Frame(7, zbuf.wrap(b"pay"))
    True
    >>> frame.release(), frame.refcnt
    (True, 0)
    """

    __slots__ = ("__weakref__", "content")

    content: ByteBuf

    def __init__(self, content: ByteBuf) -> None:
        if not isinstance(content, ByteBuf):
            raise TypeError(f"the content of a holder is a ByteBuf, not {type(content).__name__}")
        object.__setattr__(self, "content", content)

    @property
    def refcnt(self) -> int:
        """The count of the content; 0 when it is dead."""
        return self.content.refcnt

    def retain(self, n: int = 1) -> Self:
        """Raise the count of the content by `n` and return the holder. Raises: as ByteBuf.retain."""
        self.content.retain(n)
        return self

    def release(self, n: int = 1) -> bool:
        """Lower the count of the content by `n` and return whether it is dead now. Raises: as ByteBuf.release."""
        return self.content.release(n)

    def replace(self, content: ByteBuf) -> Self:
        """Return a holder that differs from this one in its content only. No `__init__` runs; fields are shared.

        Ownership: the new holder takes `content`; this one keeps its own. Raises: TypeError. Source: Netty replace."""
        if not isinstance(content, ByteBuf):
            raise TypeError(f"the content of a holder is a ByteBuf, not {type(content).__name__}")
        made = object.__new__(type(self))
        _restore(made, object.__getstate__(self))
        object.__setattr__(made, "content", content)
        return made

    def copy(self) -> Self:
        """Return a holder with a copy of the readable bytes, independent of this one. Cost: the bytes (COPY)."""
        return self.replace(self.content.copy())

    def duplicate(self) -> Self:
        """Return a holder with a second handle on the same bytes, with indices and a count of its own.

        Ownership: shares. Cost: one handle."""
        return self.replace(self.content.duplicate())

    __copy__ = duplicate  # two holders of one handle would release it twice

    def __setstate__(self, state: object) -> None:
        _restore(self, state)

    def __enter__(self) -> Self:
        self.content.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.content.__exit__(*exc_info)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.content!r})"


def _restore(made: BufferHolder, state: Any) -> None:
    """Set the fields that `object.__getstate__` found, in the dictionary and in slots, also those of a frozen class."""
    for fields in state if isinstance(state, tuple) else (state,):
        for name, value in (fields or {}).items():
            object.__setattr__(made, name, value)
