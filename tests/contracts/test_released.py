"""After release: every public name of every shape raises ReferenceCountError (rule I15), found by introspection.

Owns    BEHAVIOURS 19.
Never   how a buffer comes to be released: lifetime has its own file.
Always  a public name that this file does not know makes the first test fail, so no name can be forgotten."""

from __future__ import annotations

import copy
import io
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import GETTERS, SETTERS, Make, each_fresh_shape, each_shape, failure_of, for_each
from zbuf import ByteBuf, MultiSearch, _form, composite, copied, equal_range, hex_dump, pretty_hex_dump, wrap
from zbuf.errors import ReferenceCountError

DATA = b"released"
ANSWERS_WHEN_RELEASED = {"refcnt"}

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "set_index": (0, 0),
    "can_read": (0,),
    "can_write": (0,),
    "clear": (),
    "skip_bytes": (0,),
    "retain": (),
    "release": (),
    "touch": (),
    "shares_memory_with": (wrap(b"other"),),
    "address": (),
    "set_capacity": (0,),
    "ensure_writable": (0,),
    "try_ensure_writable": (0,),
    "discard_read_bytes": (),
    "discard_some_read_bytes": (),
    "compact": (),
    "read_varint": (),
    "read_varint_zigzag": (),
    "write_varint": (0,),
    "write_varint_zigzag": (0,),
    "get_varint": (0,),
    "read_struct": ("B",),
    "get_struct": (0, "B"),
    "write_struct": ("B", 1),
    "set_struct": (0, "B", 1),
    "read_array": ("u1",),
    "as_array": (),
    "write_array": ((),),
    "read_bytes": (0,),
    "get_bytes": (0, 0),
    "read_bytes_into": (bytearray(),),
    "get_bytes_into": (0, bytearray()),
    "write_bytes": (b"",),
    "set_bytes": (0, b""),
    "read_to": (io.BytesIO(),),
    "get_to": (0, io.BytesIO(), 0),
    "write_from": (io.BytesIO(), 1),
    "set_from": (0, io.BytesIO(), 1),
    "set_zero": (0, 0),
    "write_zero": (0,),
    "readable_views": (),
    "writable_views": (),
    "view": (),
    "read_string": (0,),
    "get_string": (0, 0),
    "to_string": (),
    "is_text": (),
    "write_string": ("",),
    "set_string": (0, ""),
    "find": (b"",),
    "rfind": (b"",),
    "bytes_before": (b"",),
    "index_of": (0, 0, 0),
    "find_all": (b"a",),
    "count": (b"a",),
    "split_indices": (b"a",),
    "startswith": (b"",),
    "endswith": (b"",),
    "for_each_byte": (bool,),
    "for_each_byte_desc": (bool,),
    "find_any": (b"",),
    "find_not": (b"",),
    "slice": (),
    "read_slice": (0,),
    "duplicate": (),
    "copy": (),
    "as_read_only": (),
    "split": (),
    "split_off": (0,),
    "move": (),
    "append": (b"",),
    "extend": ((),),
    "prepend": (b"",),
    "insert_component": (0, b""),
    "pop_component": (0,),
    "component": (0,),
    "components": (),
    "component_at_offset": (0,),
    "to_component_index": (0,),
    "to_byte_index": (0,),
    "decompose": (0, 0),
    "consolidate": (),
    "discard_read_components": (),
    **{f"{verb}_{stem.name}": () for stem in GETTERS for verb in ("read", "peek")},
    **{f"get_{stem.name}": (0,) for stem in GETTERS},
    **{f"write_{stem.name}": (0,) for stem in SETTERS},
    **{f"set_{stem.name}": (0, 0) for stem in SETTERS},
}
PROPERTIES = {
    "reader_index", "writer_index", "capacity", "max_capacity", "readable_bytes", "writable_bytes",
    "max_writable_bytes", "max_fast_writable_bytes", "is_readable", "is_writable", "is_read_only", "is_contiguous",
    "allocator", "refcnt", "is_shared", "memory_size", "num_components",
}  # fmt: skip
COMPOSITE_ONLY = {
    "append", "extend", "prepend", "insert_component", "pop_component", "component", "components",
    "component_at_offset", "to_component_index", "to_byte_index", "decompose", "consolidate",
    "discard_read_components", "num_components",
}  # fmt: skip


def _enter(buf: ByteBuf) -> None:
    with buf:
        pass


PROTOCOLS: dict[str, Callable[[ByteBuf], Any]] = {
    "len": len,
    "bool": bool,
    "item": lambda b: b[0],
    "item range": lambda b: b[0:1],
    "set item": lambda b: b.__setitem__(0, 1),
    "set item range": lambda b: b.__setitem__(slice(0, 0), b""),
    "iter": iter,
    "reversed": reversed,
    "in": lambda b: 1 in b,
    "in bytes": lambda b: b"" in b,
    "bytes": bytes,
    "== bytes": lambda b: b == b"",
    "== itself": lambda b: b == b,  # the very question
    "!=": lambda b: b != b"",
    "<": lambda b: b < b"",
    "<=": lambda b: b <= b"",
    ">": lambda b: b > b"",
    ">=": lambda b: b >= b"",
    "bytes ==": lambda b: b"" == b,
    "buffer ==": lambda b: copied(b"") == b,
    "buffer <": lambda b: copied(b"") < b,
    "hash": hash,
    "with": _enter,
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "hex_dump": hex_dump,
    "pretty_hex_dump": pretty_hex_dump,
    "wrap": wrap,
    "copied": copied,
    "equal_range": lambda b: equal_range(b, 0, b"", 0, 0),
    "equal_range of it": lambda b: equal_range(b"", 0, b, 0, 0),
    "pickle": lambda b: pickle.dumps(b, 5),
    "pickle before 5": lambda b: pickle.dumps(b, 4),
    "__array__": lambda b: b.__array__(),
    "__dlpack__": lambda b: b.__dlpack__(),
    "__dlpack__ elsewhere": lambda b: b.__dlpack__(dl_device=(2, 0)),
    "__dlpack_device__": lambda b: b.__dlpack_device__(),
    "append": lambda b: composite().append(b),
    "write_bytes of it": lambda b: copied(b"").write_bytes(b),
    "set_bytes of it": lambda b: copied(b"").set_bytes(0, b),
    "read_bytes_into it": lambda b: copied(b"abc").read_bytes_into(b),
    "get_bytes_into it": lambda b: copied(b"abc").get_bytes_into(0, b),
    "find it": lambda b: copied(b"abc").find(b),
    "find_any of it": lambda b: copied(b"abc").find_any(b),
    "MultiSearch of it": lambda b: MultiSearch([b]),
    "MultiSearch in it": lambda b: MultiSearch([b"a"]).find(b),
    "in as needle": lambda b: b in copied(b"abc"),
    "set reader_index": lambda b: setattr(b, "reader_index", 0),
    "set writer_index": lambda b: setattr(b, "writer_index", 0),
}


def public_names(buf: ByteBuf) -> list[str]:
    """All public names of a buffer's class, inherited ones included."""
    return [name for name in dir(type(buf)) if not name.startswith("_")]


@each_fresh_shape
def test_b019_no_public_name_is_missing_here(shape: Make) -> None:
    """The tables above name exactly the public surface of the class."""
    buf = shape(DATA)
    expected = set(ARGUMENTS) | PROPERTIES
    if type(buf).__name__ != "CompositeByteBuf":
        expected -= COMPOSITE_ONLY
    assert set(public_names(buf)) == expected


@each_shape
def test_b019_every_public_name_of_a_released_buffer_raises(shape: Make) -> None:
    """Methods and properties alike say that the buffer was released, with the count found."""
    buf = shape(DATA)
    buf.release()
    for name in public_names(buf):
        if name in ANSWERS_WHEN_RELEASED:
            continue
        if name in ARGUMENTS:
            failure = failure_of(lambda name=name: getattr(buf, name)(*ARGUMENTS[name]))
        else:
            failure = failure_of(getattr, buf, name)
        assert type(failure) is ReferenceCountError, f"{name}: {failure!r}"
        assert failure.refcnt == 0, name
        assert failure.change == {"retain": 1, "release": -1}.get(name, 0), name


@each_shape
@for_each("use", PROTOCOLS)
def test_b019_every_protocol_of_a_released_buffer_raises(shape: Make, use: Callable[[ByteBuf], Any]) -> None:
    """Operators, functions and other buffers notice it too."""
    buf = shape(DATA)
    buf.release()
    with pytest.raises(ReferenceCountError):
        use(buf)


@pytest.mark.skipif(not _form.EXPORTS_BUFFERS, reason="this form has no buffer protocol of its own before 3.12")
@each_shape
def test_b019_a_released_buffer_exports_nothing(shape: Make) -> None:
    """memoryview(buf) says that the buffer was released."""
    buf = shape(DATA)
    buf.release()
    with pytest.raises(ReferenceCountError):
        memoryview(buf)


@each_shape
def test_b019_what_still_answers_after_release(shape: Make) -> None:
    """The count is 0, repr says freed, leaving a with block and collection are silent, identity and weakref work."""
    buf = shape(DATA)
    with buf:
        buf.release()
    assert buf.refcnt == 0
    assert repr(buf) == str(buf) == f"{type(buf).__name__}(freed)"
    assert buf is buf
    assert buf in [buf]  # a container tests identity before it compares
    ref = weakref.ref(buf)
    del buf
    assert ref() is None


@each_shape
def test_a_released_buffer_is_not_revived(shape: Make) -> None:
    """retain and release on a dead handle raise and leave it dead (FAULTS 19)."""
    buf = shape(DATA)
    assert buf.release()
    for call in (buf.retain, buf.release, lambda: buf.retain(5), lambda: buf.release(2)):
        with pytest.raises(ReferenceCountError):
            call()
        assert buf.refcnt == 0
    with pytest.raises(ReferenceCountError):
        len(buf)
