"""Where the package moves bytes: a reader of its sources.

Owns    what counts as a move, and in which function it stands.
Never   an opinion: which moves are allowed stands in test_metered.py.
Always  it reads the syntax, not the types: a name is bytes when the file says so, by annotation or by assignment.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

RAW = {"copy", "fill", "get", "put", "to_bytes"}  # of zbuf.memory: they move bytes, their callers report it
OWNERS = {"bytes", "bytearray"}
REPORTS = {"charge"}


@dataclass(frozen=True)
class Move:
    """One place where bytes may be copied."""

    function: str
    line: int
    how: str


def moves_in(source: str) -> list[Move]:
    """Return the moves of a file that stand in no function that reports to the meter itself."""
    tree = ast.parse(source)
    raw = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("zbuf.memory")
        for alias in node.names
        if alias.name in RAW
    }
    attributes = set(_owned(tree, of_self=True))
    found: list[Move] = []
    for name, function in _functions(tree, ""):
        own = list(_own_nodes(function))
        if any(isinstance(node, ast.Call) and _called(node) in REPORTS for node in own):
            continue
        owned = attributes | set(_owned(function, of_self=False))
        for node in own:
            how = _move(node, raw, owned)
            if how is not None:
                found.append(Move(name, getattr(node, "lineno", 0), how))
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the module and every function in it, by their dotted names."""
    if isinstance(node, ast.Module):
        yield "<module>", node
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{child.name}" if prefix else child.name
            if not isinstance(child, ast.ClassDef):
                yield name, child
        yield from _functions(child, name)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions in it; of a module, without all functions."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own_nodes(child)


def _owned(scope: ast.AST, *, of_self: bool) -> Iterator[str]:
    """Yield the names, or the attributes of self, that hold bytes or a bytearray as far as the text says."""
    for node in ast.walk(scope):
        if isinstance(node, ast.arg) and not of_self and _is_owner(node.annotation):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and _is_owner(node.annotation):
            yield from _target(node.target, of_self=of_self)
        elif isinstance(node, ast.Assign) and _makes_bytes(node.value):
            for target in node.targets:
                yield from _target(target, of_self=of_self)


def _target(node: ast.expr, *, of_self: bool) -> Iterator[str]:
    if isinstance(node, ast.Attribute) == of_self and isinstance(node, ast.Attribute | ast.Name):
        yield ast.unparse(node)


def _is_owner(annotation: ast.expr | None) -> bool:
    return annotation is not None and bool({*ast.unparse(annotation).strip("'\"").split(" | ")} & OWNERS)


def _makes_bytes(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bytes)
    return isinstance(value, ast.Call) and (_called(value) in OWNERS or _copying_call(value) is not None)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _copying_call(call: ast.Call) -> str | None:
    """How this call copies bytes, whatever it is called on; None: not at all."""
    if not isinstance(call.func, ast.Attribute):
        return None
    method, receiver = call.func.attr, call.func.value
    if method == "tobytes":
        return ".tobytes()"
    if method == "join" and isinstance(receiver, ast.Constant) and isinstance(receiver.value, bytes):
        return 'b"".join()'
    if method in ("memmove", "string_at") and ast.unparse(receiver) == "ctypes":
        return f"ctypes.{method}()"
    return None


def _move(node: ast.AST, raw: set[str], owned: set[str]) -> str | None:
    if isinstance(node, ast.Call):
        name = _called(node)
        if name in OWNERS and node.args:
            return f"{name}(...)"
        if name in raw:
            return f"{name}() of the memory room"
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "extend"
            and ast.unparse(node.func.value) in owned
        ):
            return "extend of a bytearray"
        return _copying_call(node)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and ast.unparse(node.target) in owned:
        return "+= of bytes"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        if isinstance(node.ctx, ast.Store):
            return "store into a slice"
        if isinstance(node.ctx, ast.Load) and ast.unparse(node.value) in owned:
            return "slice of bytes"
    return None
