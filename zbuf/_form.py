"""Which form of zbuf runs: compiled or interpreted. Decided once, when this module is imported.

Owns    the decision, the import hook that carries out "interpreted", and the one note that explains a surprise.
Never   another module of zbuf: `zbuf/__init__.py` imports this one before anything else.
Always  every hot module is loaded in the same form. A half-built, broken, foreign or outdated set of extension modules
        is not used at all.

Environment: ZBUF_PURE=1 asks for the interpreted form, ZBUF_REQUIRE_COMPILED=1 makes anything but the compiled form an
ImportError.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from types import ModuleType

COMPILED = "compiled"
INTERPRETED = "interpreted"

_PACKAGE = __name__.partition(".")[0]
_ROOT = os.path.dirname(os.path.abspath(__file__))


class _Tree:
    """What lies on disk: the hot modules, their extensions for this interpreter, and those for another one."""

    def __init__(self, root: str) -> None:
        self.hot: dict[str, list[str]] = {}  # module name -> its sources
        self.built: dict[str, str] = {}  # module name -> extension module for this interpreter
        self.foreign: list[str] = []  # extension modules of another interpreter
        self.declarations: list[str] = []  # every .pxd: a change in one may concern all
        self._scan(root, _PACKAGE)

    def _scan(self, directory: str, package: str) -> None:
        with os.scandir(directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        names = {entry.name for entry in found}
        for entry in found:
            stem, dot, suffix = entry.name.partition(".")
            if entry.is_dir():
                if stem.isidentifier() and stem != "__pycache__":
                    self._scan(entry.path, f"{package}.{stem}")
            elif dot and stem != "__init__":
                self._note(entry, f"{package}.{stem}", f".{suffix}", names)

    def _note(self, entry: "os.DirEntry[str]", module: str, suffix: str, names: set[str]) -> None:
        stem = module.rpartition(".")[2]
        if suffix in EXTENSION_SUFFIXES:
            self.built[module] = entry.path
            self.hot.setdefault(module, [])
        elif suffix.endswith((".so", ".pyd")):
            self.foreign.append(entry.path)
        elif suffix == ".pxd":
            self.declarations.append(entry.path)
            if f"{stem}.py" in names:
                self.hot.setdefault(module, []).append(entry.path)
        elif suffix == ".pyx" or (suffix == ".py" and f"{stem}.pxd" in names):
            self.hot.setdefault(module, []).append(entry.path)


class _InterpretedFinder:
    """Answers for `zbuf.` names with the .py file, also where an extension module lies beside it."""

    def __init__(self) -> None:
        self._finders: dict[str, FileFinder] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the source file, or None for names that are not ours."""
        if path is None or not fullname.startswith(f"{_PACKAGE}."):
            return None
        for entry in path:
            finder = self._finders.get(entry)
            if finder is None:
                finder = self._finders[entry] = FileFinder(entry, (SourceFileLoader, [".py"]))
            spec = finder.find_spec(fullname)
            if spec is not None and spec.loader is not None:
                return spec
        return None

    def invalidate_caches(self) -> None:
        """Forget the directory listings, as every finder must when asked."""
        for finder in self._finders.values():
            finder.invalidate_caches()


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


def _outdated(tree: _Tree) -> str | None:
    """Name a source newer than the extension modules; only a source tree can have one."""
    if not os.path.exists(os.path.join(os.path.dirname(_ROOT), "pyproject.toml")):
        return None  # an installed package: files carry the time of their unpacking
    oldest = min(os.stat(path).st_mtime_ns for path in tree.built.values())
    sources = [path for paths in tree.hot.values() for path in paths] + tree.declarations
    for path in sources:
        if os.stat(path).st_mtime_ns > oldest:
            return os.path.relpath(path, _ROOT)
    return None


def _broken(tree: _Tree) -> str | None:
    """Say which extension module the dynamic loader refuses. Nothing of it runs yet: this is only its first phase."""
    for module, path in tree.built.items():
        loader = ExtensionFileLoader(module, path)
        spec = spec_from_file_location(module, path, loader=loader)
        assert spec is not None  # a loader was given
        try:
            loader.create_module(spec)
        except ImportError as exc:
            return f"{os.path.relpath(path, _ROOT)} cannot be loaded ({exc})"
    return None


def _surprise(tree: _Tree) -> str | None:
    """Say why extension modules that are there cannot be used; None when they can."""
    missing = sorted(module for module in tree.hot if module not in tree.built)
    if missing:
        return f"{len(missing)} of {len(tree.hot)} extension modules are missing, the first is {missing[0]}"
    newer = _outdated(tree)
    if newer is not None:
        return f"the extension modules are older than {newer}"
    return _broken(tree)


def _decide() -> tuple[str, str, str | None]:
    """Return the form, the reason for it, and a note when the user would not expect it."""
    if _is_set("ZBUF_PURE"):
        return INTERPRETED, "ZBUF_PURE is set", None
    if not os.path.isdir(_ROOT):
        return INTERPRETED, "the package is not in a directory", None
    tree = _Tree(_ROOT)
    if not tree.built:
        if tree.foreign:
            note = f"the extension modules there were built for another Python, this is {sys.version.split()[0]}"
            return INTERPRETED, note, note
        return INTERPRETED, "no extension modules were built", None
    surprise = _surprise(tree)
    if surprise is not None:
        return INTERPRETED, surprise, surprise
    return COMPILED, "extension modules were built", None


def _carry_out(form: str, reason: str, note: str | None) -> None:
    if form == COMPILED:
        return
    if _is_set("ZBUF_REQUIRE_COMPILED"):
        raise ImportError(f"ZBUF_REQUIRE_COMPILED is set, but zbuf would run interpreted: {reason}")
    if not any(type(finder).__name__ == _InterpretedFinder.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, _InterpretedFinder())
    if note is not None:
        advice = "run `python zbuf/_build.py` to build them again, or set ZBUF_PURE=1 to silence this"
        warnings.warn(f"zbuf runs interpreted: {note}; {advice}", RuntimeWarning, stacklevel=3)


FORM, REASON, _NOTE = _decide()
_carry_out(FORM, REASON, _NOTE)

EXPORTS_BUFFERS = FORM == COMPILED or sys.version_info >= (3, 12)
"""Whether a ByteBuf or a Memory can itself be given to whoever takes a buffer (PEP 688 came with 3.12)."""


def form() -> str:
    """Return the form that really runs: what `zbuf.memory._memory` is; until it is loaded, what was decided."""
    core = sys.modules.get(f"{_PACKAGE}.memory._memory")
    spec = getattr(core, "__spec__", None)
    if spec is None:
        return FORM
    return COMPILED if isinstance(spec.loader, ExtensionFileLoader) else INTERPRETED
