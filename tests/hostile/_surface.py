"""The whole surface of a buffer as a table: each public method with what stands in each of its argument positions.

Owns    METHODS, OPERATORS, FUNCTIONS; of each kind of argument a good value, and the objects that run code in it.
Never   what a call must answer: the tests say that.
Always  a public method or function without a row makes a test fail, so nothing new escapes the hostile objects."""

from __future__ import annotations

import codecs
import contextlib
import itertools
import operator
import os
import struct
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import zbuf
from tests.contracts._kit import GETTERS, SETTERS
from zbuf import ByteBuf, io

Act = Callable[[], Any]
Call = Callable[..., Any]

DATA = bytes(range(1, 33))
HAS_PEP_688 = sys.version_info >= (3, 12)

try:
    import numpy
except ImportError:  # the array methods have their tests where it is
    numpy = None


class Index:
    """An integer whose conversion runs code."""

    def __init__(self, value: int, act: Act) -> None:
        self.value = value
        self.act = act

    def __index__(self) -> int:
        self.act()
        return self.value


class Truth:
    """A truth value whose conversion runs code."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __bool__(self) -> bool:
        self.act()
        return True


class Real:
    """A float whose conversion runs code."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __float__(self) -> float:
        self.act()
        return 1.5


class Exporter:
    """Four bytes whose export runs code (PEP 688)."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.store = bytearray(b"\x05\x06\x07\x08")

    def __buffer__(self, flags: int) -> memoryview:
        self.act()
        return memoryview(self.store)


class LastBreath:
    """Four bytes that run code when their export ends (PEP 688)."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.store = bytearray(b"\x05\x06\x07\x08")

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.store)

    def __release_buffer__(self, view: memoryview) -> None:
        view.release()
        with contextlib.suppress(KeyError):  # nobody could catch it here
            self.act()


class Text(str):
    """A string whose encoding runs code."""

    act: Act

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        self.act()
        return super().encode(encoding, errors)


class Layout(struct.Struct):
    """A struct that runs code while it packs and unpacks."""

    act: Act

    def pack(self, *values: Any) -> bytes:
        self.act()
        return super().pack(*values)

    def unpack(self, data: Any) -> tuple[Any, ...]:
        self.act()
        return super().unpack(data)


class Format(str):
    """A format whose hash, by which layouts are kept, runs code."""

    act: Act

    def __hash__(self) -> int:
        self.act()
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


class Sink:
    """A stream that runs code when it is written to."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def write(self, data: memoryview) -> int:
        self.act()
        return len(data)


class Tap:
    """A stream that runs code when it is read."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def readinto(self, target: memoryview) -> int:
        self.act()
        target[:2] = b"\x07\x08"
        return 2


class File:
    """A file whose descriptor is asked for, which runs code."""

    def __init__(self, act: Act, path: str) -> None:
        self.act = act
        self.path = path
        self.fd = -1

    def fileno(self) -> int:
        self.act()
        if self.fd < 0:
            self.fd = os.open(self.path, os.O_RDWR)
        return self.fd

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


class Sock:
    """A socket that runs code when it is used, takes three bytes and gives two."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def send(self, data: memoryview, flags: int = 0) -> int:
        self.act()
        return min(len(data), 3)

    def sendmsg(self, views: list[memoryview], ancillary: object = (), flags: int = 0) -> int:
        self.act()
        return min(sum(map(len, views)), 3)

    def recv_into(self, target: memoryview, n: int = 0, flags: int = 0) -> int:
        self.act()
        target[:2] = b"\x07\x08"
        return 2

    def recvmsg_into(self, targets: list[memoryview], ancillary: int = 0, flags: int = 0) -> tuple[int, list[Any], int]:
        self.act()
        targets[0][:1] = b"\x07"
        return 1, [], 0


class Likeness:
    """An array by `__array__`, whose making runs code."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.act()
        return numpy.array([1, 2], dtype="u1")


class DType:
    """A dtype by its attribute, whose reading runs code."""

    def __init__(self, act: Act) -> None:
        self.act = act

    @property
    def dtype(self) -> Any:
        self.act()
        return numpy.dtype("u1")


class Equal:
    """An object whose comparisons run code."""

    __hash__ = None

    def __init__(self, act: Act) -> None:
        self.act = act

    def _answer(self, other: object) -> bool:
        self.act()
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _answer


def _with_act(thing: Any, act: Act) -> Any:
    thing.act = act
    return thing


def _parts(act: Act) -> Iterator[bytes]:
    yield b"ab"
    act()
    yield b"cd"


class Listed(list[Any]):
    """A list whose iteration runs code."""

    act: Act

    def __iter__(self) -> Iterator[Any]:
        self.act()
        return super().__iter__()


def _visit(act: Act) -> Callable[[int], bool]:
    seen = itertools.count()

    def visit(byte: int) -> bool:
        if next(seen) == 2:
            act()
        return True

    return visit


# Codecs and error handlers are found by name, so a name is how they come into a call.
_DURING_CODEC: list[Act] = []


def _run_codec_act() -> None:
    if _DURING_CODEC:
        _DURING_CODEC.pop()()


def _handle(error: UnicodeError) -> tuple[str, int]:
    _run_codec_act()
    return "?", error.end  # type: ignore[attr-defined]  # both kinds of it have one


def _decode(data: Any, errors: str = "strict") -> tuple[str, int]:
    _run_codec_act()
    return codecs.latin_1_decode(data, errors)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    _run_codec_act()
    return codecs.latin_1_encode(text, errors)


class _Decoder(codecs.IncrementalDecoder):
    def decode(self, data: Any, final: bool = False) -> str:
        return _decode(data)[0]


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != "zbuf_hostile":
        return None
    return codecs.CodecInfo(_encode, _decode, incrementaldecoder=_Decoder, name=name)


codecs.register_error("zbuf-hostile", _handle)
codecs.register(_find_codec)


def _arm(name: str, act: Act) -> str:
    _DURING_CODEC[:] = [act]
    return name


KINDS: dict[str, tuple[Any, dict[str, Callable[[Act], Any]]]] = {
    # kind: (how a good value is made, what is hostile)
    "index": (lambda: 4, {"index": lambda act: Index(4, act)}),
    "zero": (lambda: 0, {"index": lambda act: Index(0, act)}),
    "end": (lambda: 20, {"index": lambda act: Index(20, act)}),
    "length": (lambda: 4, {"index": lambda act: Index(4, act)}),
    "count": (lambda: 1, {"index": lambda act: Index(1, act)}),
    "value": (lambda: 1, {"index": lambda act: Index(1, act)}),
    "float": (lambda: 1.5, {"float": Real, "index": lambda act: Index(1, act)}),
    "truth": (lambda: True, {"bool": Truth}),
    "src": (lambda: b"wxyz", {"buffer": Exporter, "end of buffer": LastBreath}),
    "dst": (lambda: bytearray(4), {"buffer": Exporter, "end of buffer": LastBreath}),
    "needle": (
        lambda: b"\x05",
        {"index": lambda act: Index(5, act), "buffer": Exporter, "end of buffer": LastBreath},
    ),
    "text": (lambda: "text", {"encode": lambda act: _with_act(Text("text"), act)}),
    "encoding": (lambda: "latin-1", {"codec": lambda act: _arm("zbuf-hostile", act)}),
    "errors": (lambda: "strict", {}),  # runs only where there is an error: see RARE
    "layout": (
        lambda: ">H",
        {
            "struct": lambda act: _with_act(Layout(">H"), act),
            "format": lambda act: _with_act(Format(">H"), act),
        },
    ),
    "part": (lambda: b"part", {"buffer": Exporter, "end of buffer": LastBreath}),
    "parts": (lambda: [b"part"], {"iterator": _parts, "list": lambda act: _with_act(Listed([b"ab"]), act)}),
    "out": (BytesIO, {"write": Sink}),
    "in": (lambda: BytesIO(DATA), {"readinto": Tap}),
    "null": (lambda: File(bool, "/dev/null"), {"fileno": lambda act: File(act, "/dev/null")}),
    "zeros": (lambda: File(bool, "/dev/zero"), {"fileno": lambda act: File(act, "/dev/zero")}),
    "socket": (lambda: Sock(bool), {"call of the socket": Sock}),
    "visit": (lambda: bool, {"call": _visit}),
    "dtype": (lambda: "u1", {"dtype": DType} if numpy else {}),
    "array": (lambda: [1, 2], {"array": Likeness, "buffer": Exporter} if numpy else {"buffer": Exporter}),
    "buf": (lambda: zbuf.copied(DATA), {}),  # a sealed class: it runs no code
    "other": (lambda: b"abc", {"buffer": Exporter, "end of buffer": LastBreath, "reflected": Equal}),
    "hint": (lambda: "hint", {}),  # kept, never looked at
    "object": (lambda: 2, {"index": lambda act: Index(2, act)}),
}

METHODS: dict[str, str] = {
    # State and counts.
    "set_index": "zero length",
    "can_read": "length",
    "can_write": "length",
    "skip_bytes": "length",
    "clear": "",
    "retain": "count",
    "release": "count",
    "touch": "hint",
    "address": "",
    "shares_memory_with": "buf",
    # Capacity.
    "set_capacity": "end",
    "ensure_writable": "length",
    "try_ensure_writable": "length force=truth",
    "discard_read_bytes": "",
    "discard_some_read_bytes": "",
    "compact": "",
    # Numbers.
    **{f"get_{stem.name}": "index" for stem in GETTERS},
    **{f"{verb}_{stem.name}": "" for stem in GETTERS for verb in ("read", "peek")},
    **{f"set_{s.name}": {"bool": "index truth", "float": "index float"}.get(s.kind, "index value") for s in SETTERS},
    **{f"write_{s.name}": {"bool": "truth", "float": "float"}.get(s.kind, "value") for s in SETTERS},
    "get_varint": "index",
    "read_varint": "",
    "read_varint_zigzag": "",
    "write_varint": "value",
    "write_varint_zigzag": "value",
    "get_struct": "index layout",
    "read_struct": "layout",
    "set_struct": "index layout value",
    "write_struct": "layout value",
    "read_array": "dtype length",
    "as_array": "dtype length index",
    "write_array": "array dtype",
    # Bytes.
    "get_bytes": "index length",
    "read_bytes": "length",
    "get_bytes_into": "index dst zero length",
    "read_bytes_into": "dst zero length",
    "set_bytes": "index src zero length",
    "write_bytes": "src zero length",
    "set_zero": "index length",
    "write_zero": "length",
    "read_to": "out length",
    "get_to": "index out length",
    "write_from": "in length",
    "set_from": "index in length",
    "readable_views": "count length",
    "writable_views": "length",
    "view": "index length",
    # Text.
    "get_string": "index length encoding errors",
    "read_string": "length encoding errors",
    "to_string": "encoding errors index length",
    "set_string": "index text encoding errors",
    "write_string": "text encoding errors",
    "is_text": "index length encoding",
    # Search.
    "find": "needle index end",
    "rfind": "needle index end",
    "bytes_before": "needle index length",
    "index_of": "index end value",
    "find_all": "needle index end",
    "count": "needle index end",
    "startswith": "needle",
    "endswith": "needle",
    "split_indices": "src index end count",
    "for_each_byte": "visit index length",
    "for_each_byte_desc": "visit index length",
    "find_any": "src index end",
    "find_not": "src index end",
    # Derived.
    "slice": "index length",
    "read_slice": "length",
    "duplicate": "",
    "copy": "index length",
    "as_read_only": "",
    "split": "length",
    "split_off": "index",
    "move": "",
    # Composites.
    "append": "part",
    "extend": "parts",
    "prepend": "part",
    "insert_component": "zero part",
    "pop_component": "zero",
    "component": "zero",
    "components": "",
    "consolidate": "zero length",
    "discard_read_components": "",
    "decompose": "index length",
    "to_component_index": "index",
    "to_byte_index": "zero",
    "component_at_offset": "index",
}

OPERATORS: dict[str, tuple[Call, str]] = {
    "item": (lambda b, i: b[i], "index"),
    "item range from": (lambda b, i: b[i:], "index"),
    "item range to": (lambda b, i: b[:i], "index"),
    "item range step": (lambda b, i: b[::i], "count"),
    "set item": (lambda b, i, v: b.__setitem__(i, v), "index value"),
    "set item range": (lambda b, i, src: b.__setitem__(slice(i, 8), src), "index src"),
    "in": (lambda b, x: x in b, "needle"),
    "==": (operator.eq, "other"),
    "!=": (operator.ne, "other"),
    "<": (operator.lt, "other"),
    "<=": (operator.le, "other"),
    ">": (operator.gt, "other"),
    ">=": (operator.ge, "other"),
    "reader_index =": (lambda b, i: setattr(b, "reader_index", i), "index"),
    "writer_index =": (lambda b, i: setattr(b, "writer_index", i), "end"),
    "__reduce_ex__": (lambda b, p: b.__reduce_ex__(p), "object"),
    "__deepcopy__": (lambda b, memo: b.__deepcopy__(memo), "object"),
    "__exit__": (lambda b, kind: b.__exit__(kind, None, None), "object"),
}

# Functions that take a buffer: the buffer under attack is their first argument.
FUNCTIONS: dict[str, tuple[Call, str]] = {
    "hex_dump": (lambda b, i, n: zbuf.hex_dump(b, i, n), "index length"),
    "pretty_hex_dump": (lambda b, i, n: zbuf.pretty_hex_dump(b, i, n), "index length"),
    "MultiSearch.find": (lambda b, i, end: zbuf.MultiSearch([b"\x05"]).find(b, i, end), "index end"),
    "MultiSearch": (lambda b, src: zbuf.MultiSearch([src]).find(b), "src"),
    "wrap": (lambda b, src: zbuf.wrap(b.duplicate(), src), "src"),
    "copied": (lambda b, src: zbuf.copied(b, src), "src"),
    "equal_range": (lambda b, i, other, j, n: zbuf.equal_range(b, i, other, j, n), "index src zero length"),
    "ByteBufReader": (lambda b, n: io.ByteBufReader(b, n).read(), "length"),
    "ByteBufReader.read": (lambda b, n: io.ByteBufReader(b).read(n), "length"),
    "ByteBufReader.readinto": (lambda b, dst: io.ByteBufReader(b).readinto(dst), "dst"),
    "ByteBufReader.readline": (lambda b, n: io.ByteBufReader(b).readline(n), "length"),
    "ByteBufWriter.write": (lambda b, src: io.ByteBufWriter(b).write(src), "src"),
    "write_fd": (lambda b, fd, n, at: io.write_fd(b, fd, n, offset=at), "null length zero"),
    "read_fd": (lambda b, fd, n, at: io.read_fd(b, fd, n, offset=at), "zeros length zero"),
    "send_from": (lambda b, sock, n, flags: io.send_from(b, sock, n, flags), "socket length zero"),
    "recv_into": (lambda b, sock, n, flags: io.recv_into(b, sock, n, flags), "socket length zero"),
}
# What takes no buffer, or takes it as it is: nothing of the user's runs while a buffer is in use.
NO_BUFFER = {
    "buffer", "calculate_new_capacity", "composite", "decode_hex_dump", "default_allocator", "empty", "release",
    "retain", "set_default_allocator", "utf8_size", "varint_size",
}  # fmt: skip

# Where a codec or an error handler of the user runs: bytes that are no UTF-8, and text that is no ASCII.
RARE: dict[str, Call] = {
    "get_string": lambda b, act: b.get_string(4, 8, "ascii", _arm("zbuf-hostile", act)),
    "read_string": lambda b, act: b.read_string(8, "ascii", _arm("zbuf-hostile", act)),
    "to_string": lambda b, act: b.to_string("ascii", _arm("zbuf-hostile", act)),
    "set_string": lambda b, act: b.set_string(4, "t\xe4xt", "ascii", _arm("zbuf-hostile", act)),
    "write_string": lambda b, act: b.write_string("t\xe4xt", "ascii", _arm("zbuf-hostile", act)),
}

# What runs code without being given to the call: there is no argument, or it is a buffer or a hint.
NOTHING_TO_ATTACK = {name for name, kinds in METHODS.items() if kinds in ("", "hint", "buf")}


def methods_of(buf: ByteBuf) -> list[str]:
    """The public methods of a buffer's class, inherited ones included."""
    cls = type(buf)
    return [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name))]


def attacks(kinds: str) -> Iterator[tuple[str, Callable[[Act], tuple[list[Any], dict[str, Any]]]]]:
    """For each position and each hostile object that fits there: a label, and how the arguments are made."""
    slots = [slot.rpartition("=") for slot in kinds.split()]
    for attacked, (_, _, kind) in enumerate(slots):
        for label, hostile in KINDS[kind][1].items():
            if not HAS_PEP_688 and "buffer" in label:
                continue  # before 3.12 no Python code runs when memory is exported

            def arguments(act: Act, attacked: int = attacked, hostile: Any = hostile) -> Any:
                given: list[Any] = []
                named: dict[str, Any] = {}
                for position, (name, _, kind) in enumerate(slots):
                    value = hostile(act) if position == attacked else KINDS[kind][0]()
                    if name:
                        named[name] = value
                    else:
                        given.append(value)
                return given, named

            yield f"argument {attacked} ({kind}) by {label}", arguments
