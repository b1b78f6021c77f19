"""JSON values in a stream: where each one ends. Nothing is parsed, nothing is built.

Owns    how deep the brackets are, and whether the end of what was looked at lies inside a string.
Never   numbers, names, UTF-8: whoever reads the frame judges those.
Always  each byte is looked at once, however the input is cut; brackets in strings are text; what a peer may nest or
        leave open is bounded.
"""

from __future__ import annotations

import re
import sys

from zbuf.buffer import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, NeedData
from zbuf.codec._limits import Limits, checked_length, frame_too_long, limits_for
from zbuf.errors import CorruptedFrameError, DecodeError, IncompleteFrameError, LimitExceededError

__all__ = ["JsonObjectDecoder"]

# A whole string, a quotation mark whose string does not end here, or a bracket. Possessive: no byte is tried twice.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL)
REST_OF_SCALAR = re.compile(rb"[-+.0-9A-Za-z]*+")
WHITE = re.compile(rb"[ \t\r\n]*+")
GARBAGE = re.compile(rb"[^{\[]*+")
QUOTE, BACKSLASH, COMMA, ARRAY, END_OF_ARRAY, OBJECT = b'"\\,[]{'
CLOSES = {ARRAY: END_OF_ARRAY, OBJECT: b"}"[0]}
SCALAR_STARTS = b"-0123456789tfn"
SCALAR_ENDS = b",] \t\r\n"
TOP, FIRST, NEXT, AFTER = range(4)  # outside; behind [, a comma, an element of an array whose elements are frames
GOES_ON, WRONG = -1, -2
NONE, NESTED, STRING, SCALAR = range(4)  # what kind of value is being read


class JsonObjectDecoder(Decoder[ByteBuf]):
    r"""Cut a stream into JSON objects and arrays, with or without white space between them.

    Shape: a frame is the text of one object or array, of up to max_object_length bytes and max_depth brackets deep.
    `stream_array_elements`: an array at the top is not a frame; each of its elements is one, numbers and strings too,
    as soon as it is complete. Elements are counted by max_messages_per_feed alone.
    Only the ends are found: brackets must match, what stands between them is not judged.
    Ownership: feed() transfers; frames share the block they came in.
    Raises: ValueError at construction. Decoding: TooLongFrameError and LimitExceededError (max_depth), the rest of the
    value is then skipped; CorruptedFrameError for brackets that do not match and for anything else between values,
    where bytes are then dropped up to the next bracket that opens. Usable afterwards.
    Cost: each byte is looked at once. Source: Netty JsonObjectDecoder; depth and matching are ours.

    >>> values = JsonObjectDecoder()
    >>> values.feed(b'{"a": "}"} [1, 2]\n{"b"')
    >>> [bytes(value) for value in values], values.buffered
    ([b'{"a": "}"}', b'[1, 2]'], 4)
    """

    def __init__(
        self,
        max_object_length: int = Limits().max_frame_bytes,
        *,
        stream_array_elements: bool = False,
        max_depth: int = Limits().max_depth,
    ) -> None:
        self.max_object_length: int = checked_length("max_object_length", max_object_length)
        self.max_depth: int = checked_length("max_depth", max_depth)
        super().__init__(limits_for(self.max_object_length))
        self._max_frame = sys.maxsize  # checked here; what lies between values is no part of one
        self._stream = bool(stream_array_elements)
        self._closers = bytearray()  # the brackets that close what is open
        self._fault: str | None = None  # what is wrong with the byte before `_searched`; None: a bracket too many
        self._forget()
        self._place = TOP
        self._is_garbage = False

    def _forget(self) -> None:
        """Begin between two values."""
        self._kind = NONE
        self._searched = 0  # bytes of the value, from the reader index on, that were looked at
        self._in_string = False
        self._escaped = False  # the last byte looked at was the backslash of an escape
        self._skipped_depth = -1  # brackets open in a value that is being skipped; -1: none is
        self._closers.clear()

    def reset(self) -> None:
        """Forget an unfinished value, and the array it stands in."""
        self._forget()
        self._place = TOP
        self._is_garbage = False

    def end(self) -> None:
        """Say that no more bytes will come.

        Raises: IncompleteFrameError, once, when the input ended inside a value, or an array whose elements are frames.
        """
        if self._skipped_depth >= 0:
            self.leftover().release()  # what was being skipped was reported already
        in_array = self._place != TOP
        super().end()
        if in_array:
            raise IncompleteFrameError("the input ended inside an array", buffered=0, needed=1)

    def parse(self, buf: ByteBuf) -> ByteBuf | NeedData:
        """Cut one value off the front of `buf`."""
        while buf.is_readable:
            if self._kind == NONE and not self._find_value(buf):
                break
            if self._skipped_depth >= 0:
                if not self._skip_value(buf):
                    break
                continue
            size = self._end_of_value(buf)
            if size < 0:
                raise self._refused(buf)  # from here, where no view is: a traceback must not pin the block
            if size:
                frame = buf.read_slice(size)
                self._leave_value()
                return frame
            if buf.readable_bytes > self.max_object_length:
                self._start_skipping(buf)
                raise frame_too_long(self.max_object_length, self.max_object_length + 1)
            break
        return NEED_DATA

    # Between values.

    def _find_value(self, buf: ByteBuf) -> bool:
        """Go to the next value; return whether it begins at the reader index."""
        while self._pass_over(buf):
            byte = buf.get_unsigned_byte(buf.reader_index)
            if self._place == TOP:
                if byte == ARRAY and self._stream:
                    self._place = FIRST
                elif byte in CLOSES:
                    self._kind = NESTED
                    return True
                else:
                    raise self._wrong(buf, 1, "neither an object nor an array begins here")
            elif byte == END_OF_ARRAY and self._place != NEXT:
                self._place = TOP
            elif byte == COMMA and self._place == AFTER:
                self._place = NEXT
            elif self._place != AFTER and self._begin_element(byte):
                return True
            else:
                raise self._wrong(buf, 1, "the elements of an array do not follow each other as they must")
            buf.skip_bytes(1)
        return False

    def _begin_element(self, byte: int) -> bool:
        if byte in CLOSES:
            self._kind = NESTED
        elif byte == QUOTE:
            self._kind, self._in_string, self._searched = STRING, True, 1
        elif byte in SCALAR_STARTS:
            self._kind = SCALAR
        return self._kind != NONE

    def _pass_over(self, buf: ByteBuf) -> bool:
        """Consume white space, or garbage behind an error; return whether something else comes."""
        blank = GARBAGE if self._is_garbage else WHITE
        while buf.is_readable:
            view = buf.readable_views(1)[0]
            found = blank.match(view)
            n = found.end() if found else 0
            buf.skip_bytes(n)
            if n < len(view):
                self._is_garbage = False
                return True
        return False

    def _wrong(self, buf: ByteBuf, n: int, message: str) -> CorruptedFrameError:
        """Consume `n` bytes, begin anew at the next bracket that opens, and return the error."""
        buf.skip_bytes(n)
        self.reset()
        self._is_garbage = True
        return CorruptedFrameError(message, position=n - 1)

    def _leave_value(self) -> None:
        self._forget()
        if self._place != TOP:
            self._place = AFTER

    # Inside of a value.

    def _end_of_value(self, buf: ByteBuf) -> int:
        """Return the size of the value at the reader index; 0 when its end is not there or not within the limit,
        WRONG when something in it is, up to the last byte searched."""
        longest = self.max_object_length + (1 if self._kind == SCALAR else 0)  # the byte behind a number shows its end
        window = min(buf.readable_bytes, longest) - self._searched
        if window <= 0:
            return 0
        part = buf.slice(buf.reader_index + self._searched, window)
        for view in part.readable_views(sys.maxsize):
            n = self._look_at(view)
            if n == WRONG:
                return WRONG
            if n >= 0:
                return self._searched + n
            self._searched += len(view)
        return 0

    def _look_at(self, view: memoryview) -> int:
        """Return the end of the value in `view`; GOES_ON when it is not there, WRONG when something else is."""
        if self._kind == SCALAR:
            return self._look_at_scalar(view)
        at = 0
        if self._in_string:
            at = self._rest_of_string(view)
            if at < 0 or not self._closers:
                return at
        for token in TOKEN.finditer(view, at):
            start, end = token.span()
            byte = view[start]
            if byte == QUOTE:
                if end - start == 1:
                    self._in_string, self._escaped = True, _ends_in_escape(view, end)
                    return GOES_ON
            elif byte in CLOSES:
                self._closers.append(CLOSES[byte])
                if len(self._closers) > self.max_depth - (self._place != TOP):
                    return self._note(end, None)
            elif self._closers.pop() != byte:
                return self._note(end, "a bracket closes another one than was opened")
            elif not self._closers:
                return end
        return GOES_ON

    def _look_at_scalar(self, view: memoryview) -> int:
        found = REST_OF_SCALAR.match(view)
        n = found.end() if found else 0
        if n == len(view):
            return GOES_ON
        if view[n] not in SCALAR_ENDS:
            return self._note(n + 1, "an element of an array is no JSON value")
        return n

    def _note(self, n: int, fault: str | None) -> int:
        """Note that the byte before `n` of a view is wrong (None: a bracket too many), and return WRONG."""
        self._searched += n
        self._fault = fault
        return WRONG

    def _refused(self, buf: ByteBuf) -> DecodeError:
        """Consume what was looked at, and return the error for what was noted."""
        if self._fault is not None:
            return self._wrong(buf, self._searched, self._fault)
        self._start_skipping(buf)
        return LimitExceededError(
            f"a JSON value is more than {self.max_depth} brackets deep",
            limit="max_depth",
            maximum=self.max_depth,
            value=self.max_depth + 1,
        )

    def _rest_of_string(self, view: memoryview) -> int:
        """Return where the string ends that began before `view`, or GOES_ON."""
        at = 1 if self._escaped else 0
        found = REST_OF_STRING.match(view, at)
        if found is None:
            self._escaped = _ends_in_escape(view, at)
            return GOES_ON
        self._in_string = self._escaped = False
        return found.end()

    # A value that was refused.

    def _start_skipping(self, buf: ByteBuf) -> None:
        self._skipped_depth = len(self._closers)
        buf.skip_bytes(self._searched)
        self._searched = 0

    def _skip_value(self, buf: ByteBuf) -> bool:
        """Consume what is there of a value that was refused; return whether it ended."""
        while buf.is_readable:
            view = buf.readable_views(1)[0]
            n = self._skip_in(view)
            buf.skip_bytes(len(view) if n < 0 else n)
            if n >= 0:
                self._leave_value()
                return True
        return False

    def _skip_in(self, view: memoryview) -> int:
        if self._kind == SCALAR:
            found = REST_OF_SCALAR.match(view)
            n = found.end() if found else 0
            return n if n < len(view) else GOES_ON
        at = 0
        if self._in_string:
            at = self._rest_of_string(view)
            if at < 0 or not self._skipped_depth:
                return at
        for token in TOKEN.finditer(view, at):
            start, end = token.span()
            byte = view[start]
            if byte == QUOTE:
                if end - start == 1:
                    self._in_string, self._escaped = True, _ends_in_escape(view, end)
                    return GOES_ON
            elif byte in CLOSES:
                self._skipped_depth += 1
            else:
                self._skipped_depth -= 1
                if not self._skipped_depth:
                    return end
        return GOES_ON


def _ends_in_escape(view: memoryview, start: int) -> bool:
    """Say whether a string, looked at from `start` to the end of `view`, ends with the backslash of an escape."""
    at = len(view)
    while at > start and view[at - 1] == BACKSLASH:
        at -= 1
    return (len(view) - at) % 2 == 1
