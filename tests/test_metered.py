"""Bytes are moved by primitives that report to the meter, and nowhere else but where this file says why.

Owns    the list of places that copy bytes and report nothing, each with its reason.
Never   what counts as a move: `metered.py` reads the sources.
Always  a place on the list exists and still moves bytes; a new place fails until it reports, or is explained here.
        Sources in C and Cython are not read: the compiled memory room is held to its interpreted twin.
"""

from pathlib import Path

import pytest

from tests.metered import moves_in

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "zbuf"

# Rooms and files without a bill: what they move is nobody's traffic.
OUTSIDE = {
    "cli": "commands: the text they print; their traffic goes through the transport",
    "testing": "test kits make bytes up and take them apart",
    "probe": "its own sockets and files, to find out what the kernel does",
    "_build.py": "the build step",
    "_form.py": "finds modules",
}
PRIMITIVE = "a primitive: whoever calls it reports, and this test looks at every caller"
TWIN = "interpreted twin of a loop in C that copies nothing; the bill is that of the compiled form"
HEAD = "a head of a few bytes"
SPANS = "a list of spans, not bytes"
TABLE = "a table or a needle, made once: no payload"
SCRATCH = "one value of at most 8 bytes that lies across a border"

EXPLAINED = {
    "zbuf/memory/_memory.py": {
        "Block.wipe": "writes zeros",
        "allocate": "makes a block",
        "blank": "makes the bytes that the caller fills and reports",
        "compare": TWIN,
        "copy": PRIMITIVE,
        "fill": PRIMITIVE,
        "get": PRIMITIVE,
        "put": PRIMITIVE,
        "store_24": SCRATCH,
        "store_24_le": SCRATCH,
        "to_bytes": PRIMITIVE,
    },
    "zbuf/memory/_match.py": {"_pattern": TABLE, "find": TWIN, "is_same": TWIN, "rfind": TWIN},
    "zbuf/buffer/_arrays.py": {"Arrays._spill": "gathers for its callers in this file, who report the range"},
    "zbuf/buffer/_bulk.py": {"Bulk._fill": "writes zeros"},
    "zbuf/buffer/_bytebuf.py": {
        "ByteBuf.__setitem__": "bytes() of a buffer reports by itself",
        "ByteBuf._compare": "the foreign side of a comparison; the buffer's own side is reported",
    },
    "zbuf/buffer/_dump.py": {"_bytes_of": "what a person is going to read; bytes() of a buffer reports by itself"},
    "zbuf/buffer/_multi_search.py": {
        "MultiSearch.__init__": TABLE,
        "_classes_of": TABLE,
        "_listed": TABLE,
        "_table_of": TABLE,
    },
    "zbuf/buffer/_scan.py": {"Scan.index_of": "a needle of one byte", "table_of": TABLE},
    "zbuf/buffer/_scattered.py": {
        "Scattered._locate": SCRATCH,
        "Scattered._settle": SCRATCH,
        "Scattered._spill": "gathers for its callers, who report the range; and " + SCRATCH,
    },
    "zbuf/buffer/_search.py": {"<module>": TABLE, "Search._rfind": TABLE, "_needle": TABLE},
    "zbuf/buffer/_spans.py": {"Spans._insert_between": SPANS, "Spans._push_front": SPANS},
    "zbuf/codec/_delimiter.py": {"_as_bytes": TABLE},
    "zbuf/codec/_generator.py": {"NeedUntil.__init__": TABLE},
    "zbuf/codec/_length_field.py": {"PrependerCore.header_bytes": HEAD},
    "zbuf/codec/_varint32.py": {"VarintPrependerCore.header_bytes": HEAD},
    "zbuf/codec/compression/_frames.py": {"FrameEngine._judge": HEAD, "FrameEngine.pull": HEAD},
    "zbuf/codec/compression/_zstd.py": {
        "ZstdEngine._begin": HEAD,
        "ZstdEngine._body": HEAD,
        "ZstdEngine._open_block": HEAD,
    },
    "zbuf/protocols/http/_head.py": {"HttpRequestDecoder._request": "the head of a request in an unusual form"},
    "zbuf/region/_open.py": {"_resolve": "the name of a file"},
}
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "__pycache__" not in path.parts and path.relative_to(PACKAGE).parts[0] not in OUTSIDE
]


def name_of(path: Path) -> str:
    """A file as people name it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_bytes_are_moved_where_the_meter_hears_of_it(path: Path) -> None:
    """Each function that copies bytes calls charge(), or is explained above."""
    known = EXPLAINED.get(name_of(path), {})
    silent = [move for move in moves_in(path.read_text()) if move.function not in known]
    lines = [f"{name_of(path)}:{move.line}: {move.function}: {move.how}" for move in silent]
    assert not lines, "\n".join(["bytes are moved and nobody is told: charge() it, or explain it", *lines])


def test_explained_places_still_move_bytes() -> None:
    """No file and no function stays on the list when it has gone, or has begun to report."""
    for name, functions in EXPLAINED.items():
        silent = {move.function for move in moves_in((ROOT / name).read_text())}
        assert functions.keys() <= silent, f"{name}: {sorted(functions.keys() - silent)} moves nothing in silence"
        assert all(functions.values())


def test_what_stands_outside_is_there() -> None:
    """Each room or file without a bill exists, and says why it has none."""
    assert [] == [name for name in OUTSIDE if not (PACKAGE / name).exists() or not OUTSIDE[name]]


MOVES = {
    "bytes of a view": "def f(view):\n    return bytes(view)\n",
    "bytearray of a view": "def f(view):\n    return bytearray(view)\n",
    "join": "def f(parts):\n    return b''.join(parts)\n",
    "tobytes": "def f(view):\n    return view.cast('B').tobytes()\n",
    "slice of an argument": "def f(data: bytes):\n    return data[1:]\n",
    "slice of what was made": "def f(view):\n    data = view.tobytes()  # metered\n    return data[:4]\n",
    "slice of an optional": "def f(data: 'bytes | None'):\n    return data[1:]\n",
    "augmented": "def f(view):\n    kept = bytearray()\n    kept += view\n",
    "extended": "def f(view):\n    kept = bytearray()\n    kept.extend(view)\n",
    "of self": (
        "class A:\n    def __init__(self):\n        self.kept = bytearray()\n"
        "    def f(self, view):\n        self.kept += view\n"
    ),
    "slice store": "def f(view, data):\n    view[0:4] = data\n",
    "raw": "from zbuf.memory._memory import copy\ndef f(a, b):\n    copy(a, 0, b, 0, 4)\n",
    "renamed": "from zbuf.memory._memory import put as place\ndef f(a, b):\n    place(a, 0, b, 0, 4)\n",
    "under try": "if x:\n  from zbuf.memory._memory import to_bytes\ndef f(a):\n    to_bytes(a, 0, 4)\n",
    "ctypes": "import ctypes\ndef f(a, b):\n    ctypes.memmove(a, b, 4)\n",
    "inner function": "def f(view):\n    def g():\n        return bytes(view)\n    charge(1, 2)\n",
    "method": "class A:\n    def f(self, view):\n        return bytes(view)\n",
    "async": "async def f(view):\n    return bytes(view)\n",
    "module": "X = bytes(range(9))\n",
    "class body": "class A:\n    x = bytes(range(9))\n",
}
NO_MOVES = {
    "reported": "def f(view):\n    charge(COPY, len(view))\n    return bytes(view)\n",
    "slice of a view": "def f(view: memoryview):\n    return view[1:]\n",
    "empty": "def f():\n    return bytearray(), bytes()\n",
    "number": "def f(n: int):\n    return n.to_bytes(4, 'big')\n",
    "text": "def f(parts):\n    return ''.join(parts)\n",
    "another copy": "def f(table):\n    return table.copy()\n",
    "item store": "def f(view):\n    view[0] = 4\n",
    "counter": "def f(n):\n    n += 1\n",
}


@pytest.mark.parametrize("case", MOVES)
def test_a_move_is_seen(case: str) -> None:
    """The reader behind these tests sees each way to copy bytes, wherever it stands."""
    assert moves_in(MOVES[case])


@pytest.mark.parametrize("case", NO_MOVES)
def test_what_is_no_move_is_left_alone(case: str) -> None:
    """It does not cry at views, numbers, text, or who reports."""
    assert [] == moves_in(NO_MOVES[case])
