"""A length that is written before it is known: reserve its field, write the body, fill it in.

Owns    the place of the field, and the bytes that count besides those in the buffer.
Never   a view or slice of the buffer: the field is filled in by its index, so the buffer may grow or move meanwhile.
Always  what raises inside the `with` leaves no half-written message: the writer index goes back to the field.
"""

from __future__ import annotations

import operator
from types import TracebackType

from zbuf._types import Buffer
from zbuf.buffer import ByteBuf, CompositeByteBuf
from zbuf.codec._length_field import WIDTHS, size_of
from zbuf.errors import EncodeError, UsageError
from zbuf.region import FileRegion

__all__ = ["LengthField", "length_field"]

MOST_SIGNED = 2**63 - 1  # what decoders accept of eight bytes


class LengthField:
    """A length field in a buffer that is filled in later; made by `length_field`, used as a `with` block."""

    __slots__ = ("_adjustment", "_at", "_besides", "_buf", "_is_open", "_little", "_width")

    def __init__(self, buf: ByteBuf, width: int, adjustment: int, little_endian: bool) -> None:
        self._buf = buf
        self._width = width
        self._adjustment = adjustment
        self._little = little_endian
        self._besides = 0
        self._at = buf.writer_index
        buf.write_zero(width)
        self._is_open = True

    @property
    def index(self) -> int:
        """The absolute index of the field in its buffer."""
        return self._at

    @property
    def length(self) -> int:
        """What the field would say now: the bytes behind it, those of `include`, and the adjustment."""
        return self._buf.writer_index - self._at - self._width + self._besides + self._adjustment

    def include(self, part: ByteBuf | FileRegion | Buffer | int) -> None:
        """Count `part`, or that many bytes, which will be sent behind the buffer.

        Ownership: borrows; only its size is asked for. Raises: ValueError for a negative number; UsageError when the
        field was filled in."""
        self._check_open()
        n = operator.index(part) if isinstance(part, int) else size_of(part)
        if n < 0:
            raise ValueError(f"a number of bytes must not be negative: {n}")
        self._besides += n

    def fill_in(self) -> int:
        """Write the length into the field and return it. The `with` block does this at its end.

        Raises: EncodeError when it is negative or does not fit the field, UsageError when it was filled in already."""
        self._check_open()
        value = self.length
        most = min(256**self._width - 1, MOST_SIGNED)
        if not 0 <= value <= most:
            raise EncodeError(f"the length {value} does not fit a field of {self._width} bytes: 0..{most}")
        self._buf.set_bytes(self._at, value.to_bytes(self._width, "little" if self._little else "big"))
        self._is_open = False
        return value

    def cancel(self) -> None:
        """Take back the field and what was written behind it. An exception that leaves the `with` block does this.

        Raises: UsageError when the field was filled in."""
        self._check_open()
        self._is_open = False
        self._buf.writer_index = self._at
        if isinstance(self._buf, CompositeByteBuf):
            self._buf.set_capacity(self._at)  # let go of the parts, not only of their place

    def __enter__(self) -> LengthField:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_open:
            return
        if kind is None:
            try:
                self.fill_in()
            except BaseException:
                self._give_up()
                raise
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._buf.refcnt and self._buf.writer_index >= self._at >= self._buf.reader_index:
            self.cancel()
        self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise UsageError("the length field was filled in or cancelled already")

    def __repr__(self) -> str:
        state = "open" if self._is_open else "closed"
        return f"LengthField(index={self._at}, width={self._width}, {state})"


def length_field(
    buf: ByteBuf,
    width: int = 4,
    length_adjustment: int = 0,
    *,
    includes_length_field: bool = False,
    little_endian: bool = False,
) -> LengthField:
    r"""Reserve a length field at the writer index of `buf`; what is written until the block ends is its body.

    The field says the bytes behind it, + those counted with `include`, + length_adjustment, + its own width when
    includes_length_field is set. Fields may be nested, the buffer may grow, and it may be a composite to which
    payloads are appended: header and payload then leave with one gather write, and no payload byte is copied. Do not
    discard or prepend inside the block: that moves the field.
    Ownership: borrows `buf`. Cost: the bytes of the field.
    Raises: ValueError for a width other than 1, 2, 3, 4, 8; as a write of the buffer; at the end of the block
    EncodeError for a length that is negative or does not fit. What raises inside the block, or at its end, takes back
    the field and what stands behind it.
    Source: ours; the same parameters as `LengthFieldPrepender`.

    >>> from zbuf import buffer, composite
    >>> head = buffer()
    >>> with length_field(head, 2) as length:
    ...     head.write_byte(7)
    ...     length.include(b"payload")
    >>> bytes(head)
    b'\x00\x08\x07'
    >>> both = composite()
    >>> with length_field(both, 2):
    ...     both.append(b"payload")
    >>> bytes(both)
    b'\x00\x07payload'
    """
    n = operator.index(width)
    if n not in WIDTHS:
        raise ValueError(f"width must be 1, 2, 3, 4 or 8, not {n}")
    adjustment = operator.index(length_adjustment) + (n if includes_length_field else 0)
    return LengthField(buf, n, adjustment, bool(little_endian))
