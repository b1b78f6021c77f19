"""JSON lines: one JSON value per line, as Python objects, in both directions.

Owns    which texts are a value: strict JSON, within the depth that is allowed.
Never   a schema.
Always  one value is one line: what is written has no line break in it; NaN and Infinity are no JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from zbuf.buffer import ByteBuf
from zbuf.codec._base import NEED_DATA, Decoder, Encoder, NeedData
from zbuf.codec._json import CLOSES, QUOTE, TOKEN
from zbuf.codec._limits import Limits, checked_length
from zbuf.codec._line import LineCore
from zbuf.errors import CorruptedFrameError, EncodeError, LimitExceededError

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["JsonLinesDecoder", "JsonLinesEncoder"]


class JsonLinesDecoder(LineCore, Decoder[Any]):
    r"""Cut a stream into lines, and read each as one JSON value (JSON Lines, NDJSON).

    Shape: a message is what `json.loads` makes of a line of up to max_line_length bytes and max_depth brackets deep;
    `null` is the message None. Lines of nothing but white space are passed over.
    Raises: ValueError at construction. Decoding: TooLongFrameError, the rest of the line is then skipped;
    LimitExceededError (max_depth); CorruptedFrameError for a line that is no JSON. The next line decodes.
    Cost: the line is copied once (TRANSFER), to be parsed. Source: https://jsonlines.org.

    >>> values = JsonLinesDecoder()
    >>> values.feed(b'{"a": 1}\n\n[2, null]\n{')
    >>> list(values), values.buffered
    ([{'a': 1}, [2, None]], 1)
    """

    def __init__(self, max_line_length: int = Limits().max_frame_bytes, *, max_depth: int = Limits().max_depth) -> None:
        super().__init__(max_line_length)
        self.max_depth: int = checked_length("max_depth", max_depth)

    def parse(self, buf: ByteBuf) -> Any | NeedData:
        """Read the value of the next line."""
        while True:
            line = super().parse(buf)
            if line is NEED_DATA:
                return NEED_DATA
            text = line.get_bytes(0, line.readable_bytes)
            line.release()
            if text and not text.isspace():
                return self._value(text)
            if not buf.is_readable:
                return NEED_DATA

    def _value(self, text: bytes) -> Any:
        check_depth(text, self.max_depth)
        try:
            return json.loads(text.decode("utf-8"), parse_constant=_no_constant)
        except UnicodeDecodeError as exc:
            raise CorruptedFrameError("a line of JSON is no UTF-8 text", position=exc.start) from None
        except json.JSONDecodeError as exc:
            raise CorruptedFrameError(f"a line is no JSON: {exc.msg}", position=exc.pos) from None
        except ValueError as exc:  # an integer of more digits than Python converts
            raise CorruptedFrameError("a line of JSON holds a number that cannot be read") from exc

    def _may_be_none(self) -> bool:
        return True


class JsonLinesEncoder(Encoder[Any]):
    r"""Write each message as one line of JSON: dict, list, tuple, str, int, float, bool and None.

    Raises: EncodeError for what JSON has no form for: other types, NaN, Infinity, lone surrogates, cycles.
    Source: https://jsonlines.org.

    >>> from zbuf import default_allocator
    >>> JsonLinesEncoder().encode({"a": [1, None]}, default_allocator())
    (b'{"a":[1,null]}\n',)
    """

    accepts: ClassVar[type | tuple[type, ...]] = (dict, list, tuple, str, int, float, bool, type(None))

    def encode(self, msg: Any, alloc: Allocator) -> tuple[bytes, ...]:
        """Return the line."""
        try:
            text = json.dumps(msg, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return (text.encode("utf-8") + b"\n",)
        except (TypeError, ValueError, RecursionError) as exc:
            raise EncodeError(f"a {type(msg).__name__} cannot be written as JSON: {exc}") from exc


def check_depth(text: bytes, maximum: int) -> None:
    """Raise LimitExceededError when brackets are nested deeper than `maximum`; strings are passed over."""
    depth = 0
    for token in TOKEN.finditer(text):
        byte = text[token.start()]
        if byte in CLOSES:
            depth += 1
            if depth > maximum:
                raise LimitExceededError(
                    f"a JSON value is more than {maximum} brackets deep",
                    limit="max_depth",
                    maximum=maximum,
                    value=depth,
                )
        elif byte != QUOTE:
            depth -= 1


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON", "", 0)
