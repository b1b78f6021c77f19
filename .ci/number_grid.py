"""Write zbuf/buffer/_getters.py, _peekers.py, _setters.py and their .pxd files from one table of numbers.

python .ci/number_grid.py           write the six files
python .ci/number_grid.py --check   exit 1 when one of them is not what the table says
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOM = Path(__file__).resolve().parent.parent / "zbuf" / "buffer"


@dataclass(frozen=True)
class Load:
    """A stem that can be read: its size, the raw load, its C and Python types, and what it is in words."""

    stem: str
    size: int
    load: str
    c_type: str
    py_type: str
    words: str


@dataclass(frozen=True)
class Store:
    """A stem that can be written: its size, the raw store, and the range it takes."""

    stem: str
    size: int
    store: str
    words: str
    low: str = ""
    high: str = ""


def _orders(stem: str) -> list[tuple[str, str]]:
    return [("", "big-endian"), ("_le", "little-endian")]


def loads() -> list[Load]:
    rows = [
        Load("boolean", 1, "load_bool", "bint", "bool", "one byte as a truth value"),
        Load("byte", 1, "load_i8", "int", "int", "a signed byte"),
        Load("unsigned_byte", 1, "load_u8", "int", "int", "an unsigned byte"),
    ]
    whole = [
        ("short", 2, 16, "int"),
        ("medium", 3, 24, "int"),
        ("int", 4, 32, "long long"),
        ("long", 8, 64, "long long"),
    ]
    for stem, size, bits, c_type in whole:
        for suffix, order in _orders(stem):
            rows.append(
                Load(
                    f"{stem}{suffix}",
                    size,
                    f"load_i{bits}{suffix}",
                    c_type,
                    "int",
                    f"a signed {bits}-bit {order} integer",
                )
            )
        unsigned = "unsigned long long" if bits == 64 else c_type
        for suffix, order in _orders(stem):
            rows.append(
                Load(
                    f"unsigned_{stem}{suffix}",
                    size,
                    f"load_u{bits}{suffix}",
                    unsigned,
                    "int",
                    f"an unsigned {bits}-bit {order} integer",
                )
            )
    for stem, size, bits in [("float", 4, 32), ("double", 8, 64)]:
        for suffix, order in _orders(stem):
            rows.append(
                Load(
                    f"{stem}{suffix}",
                    size,
                    f"load_f{bits}{suffix}",
                    "double",
                    "float",
                    f"a {bits}-bit {order} IEEE 754 number",
                )
            )
    return rows


def highest(bits: int) -> str:
    """Return the largest value of a field; beyond 31 bits by a name, because Cython makes an object of the literal."""
    return "MAX_UNSIGNED_INT" if bits == 32 else f"0x{(1 << bits) - 1:X}"


def stores() -> list[Store]:
    rows = [Store("boolean", 1, "store_8", "1 for a true value and 0 for a false one")]
    rows.append(Store("byte", 1, "store_8", "-128..255 in one byte", "-0x80", "0xFF"))
    for stem, size, bits in [("short", 2, 16), ("medium", 3, 24), ("int", 4, 32)]:
        for suffix, order in _orders(stem):
            words = f"-2**{bits - 1}..2**{bits}-1 in {bits} bits, {order},"
            rows.append(
                Store(
                    f"{stem}{suffix}",
                    size,
                    f"store_{bits}{suffix}",
                    words,
                    f"-0x{1 << bits - 1:X}",
                    highest(bits),
                )
            )
    for suffix, order in _orders("long"):
        rows.append(Store(f"long{suffix}", 8, f"store_64{suffix}", f"-2**63..2**64-1 in 64 bits, {order},"))
    for suffix, order in _orders("float"):
        rows.append(Store(f"float{suffix}", 4, f"store_f32{suffix}", f"a 32-bit {order} IEEE 754 single, rounded,"))
    for suffix, order in _orders("double"):
        rows.append(Store(f"double{suffix}", 8, f"store_f64{suffix}", f"a 64-bit {order} IEEE 754 double"))
    return rows


HEAD = '''# cython: nonecheck=False
# (the only object whose fields are read here is self)
"""{title}

Written by .ci/number_grid.py from its table: change the table, not this file.

Owns    {owns}
Never   a bounds check of its own: `read_offset` and its like make them, and `_indices.py` where they say no.
Always  arguments are converted first, then state and bounds are checked, then memory is touched, then an index moves.

Cost of every method: the bytes of the value, also where it lies across the spans of a composite.
Raises: {raises}
Source: Netty ByteBuf, in snake_case; `_le` is little-endian, everything else big-endian.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import (
{imports}
    )
from zbuf.buffer.{base_module} import {base_names}

__all__ = ["{name}"]


class {name}({base}):
    """{doc}"""

    __slots__ = ()
'''


CONVERSIONS = ("as_double", "as_long", "as_size", "as_value", "fits_single", "set_offset", "write_offset")


def in_order(names: set[str]) -> list[str]:
    """Sort names the way ruff sorts imports: runs of digits count as numbers."""
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])


def getters_py() -> str:
    rows = loads()
    names = in_order({"as_size", "get_offset", "read_offset", *(row.load for row in rows)})
    out = HEAD.format(
        title="Fixed-width numbers out of a buffer: get_x at an absolute index, read_x at the reader index.",
        owns="23 getters and 23 readers.",
        raises="BoundsError with `requested` and `available`, nothing moves; ReferenceCountError if released.",
        imports="\n".join(f"        {name}," for name in names),
        base_module="_indices",
        base_names="Indices",
        base="Indices",
        name="Getters",
        doc="The loads of a buffer.",
    )
    for row in rows:
        out += f'''
    def get_{row.stem}(self, index: int) -> {row.py_type}:
        """Return {row.words} at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, {row.size})
        if at < 0:
            at = self._at_cold(index, {row.size})
        return {row.load}(self._base, at)
'''
    for row in rows:
        out += f'''
    def read_{row.stem}(self) -> {row.py_type}:
        """Read {row.words} and move the reader index by {row.size}."""
        at = read_offset(self, {row.size})
        if at < 0:
            at = self._take_cold({row.size})
        return {row.load}(self._base, at)
'''
    return out


def getters_pxd() -> str:
    rows = loads()
    out = "# Written by .ci/number_grid.py.\n\ncimport cython\n\nfrom zbuf.buffer._indices cimport Indices\n"
    out += "from zbuf.memory._memory cimport (\n"
    out += (
        "".join(
            f"    {name},\n" for name in in_order({"as_size", "get_offset", "read_offset", *(row.load for row in rows)})
        )
        + ")\n\n"
    )
    out += "cdef class Getters(Indices):\n"
    for row in rows:
        out += "    @cython.locals(at=Py_ssize_t)\n"
        out += f"    cpdef {row.c_type} get_{row.stem}(self, Py_ssize_t index) except? {failed(row)}\n"
    for row in rows:
        out += (
            f"    @cython.locals(at=Py_ssize_t)\n    cpdef {row.c_type} read_{row.stem}(self) except? {failed(row)}\n"
        )
    return out


def peekers_py() -> str:
    rows = loads()
    names = in_order({"peek_offset", *(row.load for row in rows)})
    out = HEAD.format(
        title="Fixed-width numbers at the reader index, looked at without being read: peek_x.",
        owns="23 peekers.",
        raises="BoundsError with `requested` and `available`; ReferenceCountError if released.",
        imports="\n".join(f"        {name}," for name in names),
        base_module="_getters",
        base_names="Getters",
        base="Getters",
        name="Peekers",
        doc="The loads of a buffer that move nothing.",
    )
    out = out.replace("Source: Netty ByteBuf, in snake_case;", "Source: ours, by the rules of Netty's readers;")
    out = re.sub("Always  .*", "Always  bounded by the writer index, like a read; no index and no byte changes.", out)
    for row in rows:
        out += f'''
    def peek_{row.stem}(self) -> {row.py_type}:
        """Return {row.words} at the reader index; nothing moves."""
        at = peek_offset(self, {row.size})
        if at < 0:
            at = self._peek_cold({row.size})
        return {row.load}(self._base, at)
'''
    return out


def peekers_pxd() -> str:
    rows = loads()
    names = in_order({"peek_offset", *(row.load for row in rows)})
    out = "# Written by .ci/number_grid.py.\n\ncimport cython\n\nfrom zbuf.buffer._getters cimport Getters\n"
    out += "from zbuf.memory._memory cimport (\n" + "".join(f"    {name},\n" for name in names) + ")\n\n"
    out += "cdef class Peekers(Getters):\n"
    for row in rows:
        out += "    @cython.locals(at=Py_ssize_t)\n"
        out += f"    cpdef {row.c_type} peek_{row.stem}(self) except? {failed(row)}\n"
    return out


def failed(row: Load) -> str:
    return {"double": "-1.0", "unsigned long long": "1", "bint": "-1"}.get(row.c_type, "-1")


def conversion(row: Store) -> tuple[str, str]:
    """Return how the argument is converted, and the check of its range."""
    if row.stem == "boolean":
        return "1 if value else 0", ""
    if row.size == 8 and row.stem.startswith("long"):
        return "as_long(value)", ""
    if row.stem.startswith("float"):
        return "as_double(value)", "not fits_single(v)"
    if row.stem.startswith("double"):
        return "as_double(value)", ""
    return "as_value(value)", f"v < {row.low} or v > {row.high}"


def body(row: Store, index: str, place: tuple[str, str], after: str) -> str:
    convert, check = conversion(row)
    lines = [f"v = {convert}"]
    if check:
        lines += [f"if {check}:"]
        lines += [f"    raise self._bad_value({'0, 0' if row.stem.startswith('float') else row.low + ', ' + row.high})"]
    lines += [
        f"at = {place[0]}",
        "if at < 0:",
        f"    at = self.{place[1]}",
        f"{row.store}(self._base, at, v)",
        "if self._hi < self._lo:",
        f"    self._settle({index}, {row.size})",
    ]
    if after:
        lines.append(after)
    return "".join(f"        {line}\n" for line in lines)


def value_type(row: Store) -> str:
    if row.stem == "boolean":
        return "object"
    return "float" if row.store.startswith("store_f") else "int"


def setters_py() -> str:
    rows = stores()
    names = in_order({*CONVERSIONS, *(row.store for row in rows)})
    out = HEAD.format(
        title="Fixed-width numbers into a buffer: set_x at an absolute index, write_x at the writer index.",
        owns="14 setters and 14 writers; byte order aside, signed and unsigned share one.",
        raises="TypeError (not a number), ReferenceCountError, ReadOnlyError, OverflowError (outside the field),\n"
        "        BoundsError or CapacityError; nothing is written.",
        imports="\n".join(f"        {name}," for name in names),
        base_module="_peekers",
        base_names="Peekers",
        base="Peekers",
        name="Setters",
        doc="The stores of a buffer.",
    )
    guard = "if not cython.compiled:\n"
    out = out.replace(guard, f"{guard}    from zbuf.buffer._indices import does_not_fit\n", 1)
    out = out.replace(
        "\n\nclass Setters", "\n\nMAX_UNSIGNED_INT = 0xFFFFFFFF\n\n\nclass Setters".replace("\n\nMAX", "\nMAX", 1), 1
    )
    out += '''
    def _bad_value(self, low: int, high: int) -> OverflowError:
        """Return the error for a value outside its field, once the state of the buffer has been judged (rule I12)."""
        self._check_writable()
        if low == high:
            return OverflowError("the number does not fit a single")
        return does_not_fit(None, low, high)
'''
    for row in rows:
        out += f'''
    def set_{row.stem}(self, index: int, value: {value_type(row)}) -> None:
        """Store {row.words} at absolute `index`; nothing moves."""
        index = as_size(index)
'''
        out += body(row, "index", (f"set_offset(self, index, {row.size})", f"_spot_cold(index, {row.size})"), "")
    for row in rows:
        out += f'''
    def write_{row.stem}(self, value: {value_type(row)}) -> None:
        """Write {row.words} and move the writer index by {row.size}; grows if need be."""
'''
        out += body(
            row,
            "self._writer",
            (f"write_offset(self, {row.size})", f"_room_cold({row.size})"),
            f"self._writer += {row.size}",
        )
    return out


def setters_pxd() -> str:
    rows = stores()
    names = in_order({*CONVERSIONS, *(row.store for row in rows)})
    out = "# Written by .ci/number_grid.py.\n\ncimport cython\n\n"
    out += "from zbuf.buffer._indices cimport does_not_fit\nfrom zbuf.buffer._peekers cimport Peekers\n"
    out += "from zbuf.memory._memory cimport (\n"
    out += "".join(f"    {name},\n" for name in names) + ")\n\ncdef class Setters(Peekers):\n"
    out = out.replace("cdef class Setters", "cdef long long MAX_UNSIGNED_INT\n\ncdef class Setters")
    out += "    cdef object _bad_value(self, long long low, long long high)\n"

    def c_value(row: Store) -> str:
        if row.store.startswith("store_f"):
            return "double"
        return "unsigned long long" if row.size == 8 else "long long"

    for row in rows:
        out += f"    @cython.locals(at=Py_ssize_t, v={kind(c_value(row))})\n"
        out += f"    cpdef set_{row.stem}(self, Py_ssize_t index, object value)\n"
    for row in rows:
        out += f"    @cython.locals(at=Py_ssize_t, v={kind(c_value(row))})\n"
        out += f"    cpdef write_{row.stem}(self, object value)\n"
    return out


def kind(c_type: str) -> str:
    return {"long long": "cython.longlong", "unsigned long long": "cython.ulonglong", "double": "cython.double"}[c_type]


FILES = {
    "_getters.py": getters_py,
    "_getters.pxd": getters_pxd,
    "_peekers.py": peekers_py,
    "_peekers.pxd": peekers_pxd,
    "_setters.py": setters_py,
    "_setters.pxd": setters_pxd,
}


def main(arguments: list[str]) -> int:
    stale = [name for name, make in FILES.items() if not (ROOM / name).exists() or (ROOM / name).read_text() != make()]
    if "--check" in arguments:
        for name in stale:
            print(f"zbuf/buffer/{name} is not what .ci/number_grid.py writes")
        return 1 if stale else 0
    for name in stale:
        (ROOM / name).write_text(FILES[name]())
        print(f"wrote zbuf/buffer/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
