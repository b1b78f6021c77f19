"""The floors: a file imports only from floors below its own, and only some rooms touch the outside world."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "zbuf"

FLOORS = {
    "errors": 0,
    "_types": 0,
    "_form": 0,
    "_cython": 0,
    "_environ": 0,
    "memory": 1,
    "audit": 2,
    "buffer": 3,
    "region": 4,
    "io": 4,
    "codec": 5,
    "outbound": 5,
    "pipeline": 6,
    "handlers": 7,
    "probe": 7,
    "transport": 7,
    "protocols": 8,
    "cli": 9,
    "testing": 9,
}
# Files that stand outside the table: the front door, the command, the build step (no part of a running zbuf).
OUTSIDE = {"__init__", "__main__", "_build"}

SOCKETS = {"socket", "select", "selectors", "asyncio", "ssl", "socketserver", "signal", "uvloop"}
FILES = {"os", "io", "mmap", "pathlib", "shutil", "tempfile", "ctypes", "fcntl", "stat"}
SOCKET_ROOMS = {"transport", "probe", "cli", "testing"}
FILE_ROOMS = {"region", "io", "transport", "probe", "cli", "testing"}
# The exceptions, by name: a room or a file, what it may import all the same, and why.
EXCEPTIONS = {
    "_form": {"os"},  # reads the package's own directory and the environment, before anything runs
    "_environ": {"os"},  # reads two variables
    "memory": {"mmap", "ctypes"},  # anonymous memory and raw bytes are what the room is about
    "protocols/http/_files.py": {"os", "stat"},  # looks at what region opened beneath the root: size, time, kind
    "protocols/http/_listing.py": {"os"},  # reads the names in a directory that is already open
}


def modules() -> list[Path]:
    """Every source of the package, both twins of a module written twice."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def room(path: Path) -> str:
    """The room of a file; for a file that stands alone, its name."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def is_type_checking(node: ast.If) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose body never runs."""
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports(nodes: list[ast.stmt], *, inside: str | None = None) -> Iterator[tuple[str, int, str | None]]:
    """Yield (module, line, function it stands in) for each import that runs."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, inside
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            if base == "zbuf":  # `from zbuf import x`: x is the module, or a name of the front door
                for alias in node.names:
                    yield f"zbuf.{alias.name}", node.lineno, inside
            else:
                yield base, node.lineno, inside
        elif isinstance(node, ast.If) and is_type_checking(node):
            yield from imports(node.orelse, inside=inside)
        else:
            within = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else inside
            children = [child for child in ast.walk(node) if child is not node and isinstance(child, ast.stmt)]
            direct = [child for child in children if _parent_is(node, child)]
            yield from imports(direct, inside=within)


def _parent_is(parent: ast.stmt, child: ast.stmt) -> bool:
    """Whether child is a statement of parent's own body, not of a statement within it."""
    for name in ("body", "orelse", "finalbody"):
        if child in getattr(parent, name, []):
            return True
    blocks = [*getattr(parent, "handlers", []), *getattr(parent, "cases", [])]
    return any(child in block.body for block in blocks)


def found(path: Path) -> list[tuple[str, int, str | None]]:
    """The imports of a file."""
    return list(imports(ast.parse(path.read_text()).body))


def name_of(path: Path) -> str:
    """A file as people name it."""
    return str(path.relative_to(ROOT))


INSIDE = [path for path in modules() if room(path) not in OUTSIDE]


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_imports_of_a_file_point_down(path: Path) -> None:
    """A file imports from zbuf only what lies on a floor below its own, or in its own room."""
    own = room(path)
    assert own in FLOORS, f"{name_of(path)}: the room is not in the floor table"
    for module, line, _ in found(path):
        assert not module.startswith("."), f"{name_of(path)}:{line}: relative import {module}"
        if module != "zbuf" and not module.startswith("zbuf."):
            continue
        target = module.partition(".")[2].partition(".")[0]
        if not (target and (PACKAGE / target).is_dir()) and not (PACKAGE / f"{target}.py").is_file():
            # A name of the front door, not a module: the version, say. It knows every room, so only the top may ask it.
            assert FLOORS[own] == max(FLOORS.values()), f"{name_of(path)}:{line}: imports {module} by the front door"
            continue
        assert target in FLOORS, f"{name_of(path)}:{line}: {module} is not in the floor table"
        allowed = target == own or FLOORS[target] < FLOORS[own]
        assert allowed, f"{name_of(path)}:{line}: {own} (floor {FLOORS[own]}) imports {module} ({FLOORS[target]})"


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_imports_of_rooms_stand_at_the_top(path: Path) -> None:
    """No import of zbuf hides in a function to dodge the table; only commands load late."""
    if room(path) == "cli":  # on the top floor there is nothing to dodge, and --version must not need httptools
        return
    late = [(module, line) for module, line, function in found(path) if function and module.startswith("zbuf")]
    assert [] == late, f"{name_of(path)}: {late}"


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_outside_world_is_touched_only_where_it_belongs(path: Path) -> None:
    """Sockets and loops stay in transport; files stay in region, io and above; other rooms compute."""
    own = room(path)
    forbidden = set() if own in SOCKET_ROOMS else set(SOCKETS)
    forbidden |= set() if own in FILE_ROOMS else FILES
    forbidden -= EXCEPTIONS.get(own, set()) | EXCEPTIONS.get(path.relative_to(PACKAGE).as_posix(), set())
    touched = [(module, line) for module, line, _ in found(path) if module.split(".")[0] in forbidden]
    assert [] == touched, f"{name_of(path)}: {touched}"


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_file_opens_with_a_docstring(path: Path) -> None:
    """Every file says at its head what it is."""
    assert ast.get_docstring(ast.parse(path.read_text())), name_of(path)


def test_protocols_do_not_know_each_other() -> None:
    """A protocol's folder imports nothing from another protocol's folder."""
    for path in INSIDE:
        parts = path.relative_to(PACKAGE).parts
        if parts[0] != "protocols" or len(parts) < 3:
            continue
        for module, line, _ in found(path):
            if module.startswith("zbuf.protocols."):
                assert module.split(".")[2] == parts[1], f"{name_of(path)}:{line}: imports {module}"


def test_floor_table_names_what_is_there() -> None:
    """Each room and each file at the top of the package is on a floor or known to stand outside the table."""
    there = {room(path) for path in modules()} - {"__pycache__"}
    assert there <= FLOORS.keys() | OUTSIDE, there - FLOORS.keys() - OUTSIDE


SNIPPETS = {
    "upward": ("from zbuf.transport import connect\n", "zbuf.transport", None),
    "in_function": ("def f():\n    try:\n        import zbuf.codec\n    finally:\n        pass\n", "zbuf.codec", "f"),
    "in_handler": ("try:\n    pass\nexcept ImportError:\n    from zbuf import _cython\n", "zbuf._cython", None),
    "in_method": ("class A:\n    async def g(self):\n        import socket\n", "socket", "g"),
}


@pytest.mark.parametrize("case", SNIPPETS)
def test_imports_are_found_wherever_they_stand(case: str) -> None:
    """The reader behind these tests sees an import in a function, a handler, a method."""
    source, module, function = SNIPPETS[case]
    names = [(name, within) for name, _, within in imports(ast.parse(source).body)]
    assert [(module, function)] == names


def test_type_checking_imports_are_exempt() -> None:
    """What stands under `if TYPE_CHECKING` never runs and may name any floor; its else branch counts."""
    source = "if TYPE_CHECKING:\n    import zbuf.cli\nelse:\n    import zbuf.errors\n"
    assert ["zbuf.errors"] == [name for name, _, _ in imports(ast.parse(source).body)]
