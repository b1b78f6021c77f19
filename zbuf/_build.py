"""The build step: compiles the hot modules where that is possible, and says which form came of it.

Owns    the list of hot modules (every .pyx, every .py with a .pxd beside it), Cython's directives, the clean-up.
Never   anything of zbuf: setuptools loads this file by its path, before the package can be imported.
Always  all or nothing: when one module cannot be built, none is left behind, and the package works interpreted.

    python zbuf/_build.py             compile in place, for the Python that runs this
    python zbuf/_build.py --clean     remove what was built in place, for every Python

Environment: ZBUF_PURE=1 builds nothing; ZBUF_REQUIRE_COMPILED=1 makes a failed compilation an error; CFLAGS and
LDFLAGS are honoured and come last.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.pop(0)  # run as a script, Python puts zbuf/ itself in front of every other module

from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    raise SystemExit("zbuf: building needs setuptools 77 or newer") from None

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "zbuf"
GENERATED = "build/cython"  # relative to ROOT: where the C files go

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # hints are for mypy; with them a hint `int` clashes with a C type in the .pxd
    "nonecheck": True,  # None passes for an extension type, and reading a field of it reads foreign memory
    "boundscheck": True,
    "wraparound": True,
    "cdivision": False,  # // and % of negatives as in Python
    "binding": True,
    "embedsignature": False,
    "auto_pickle": False,  # a copy of raw pointers and counters is never right: what can be pickled says so itself
}


class CannotCompile(Exception):
    """Why the compiled form could not be built, in words for the person who installs."""


def is_set(variable: str) -> bool:
    """Say whether an environment variable is set to something other than 0."""
    return os.environ.get(variable, "0") not in ("", "0")


def hot_sources() -> list[Path]:
    """Return the sources of the modules to compile, in a fixed order."""
    twice = sorted(PACKAGE.rglob("*.pyx"))
    once = (path.with_suffix(".py") for path in sorted(PACKAGE.rglob("*.pxd")))
    typed = [path for path in once if path.exists() and path.with_suffix(".pyx") not in twice]
    return twice + [path for path in typed if path.stem != "__init__"]


def hot_extensions() -> list[Extension]:
    """Return one extension for each hot module, its source relative to the project's root."""
    flags = [] if os.environ.get("CFLAGS") or os.name == "nt" else ["-O2", "-g0"]
    found = []
    for path in hot_sources():
        relative = path.relative_to(ROOT)
        name = ".".join(relative.with_suffix("").parts)
        found.append(Extension(name, [relative.as_posix()], extra_compile_args=flags))
    return found


def jobs() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_tools() -> None:
    """Raise CannotCompile when Cython or the headers of this Python are missing."""
    try:
        import Cython  # noqa: F401  (asked only whether it is there)
    except ImportError:
        raise CannotCompile("Cython is not installed") from None
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        raise CannotCompile(f"the headers of this Python are not installed ({header} is missing)")


def to_c(extensions: list[Extension]) -> list[Extension]:
    """Translate the hot modules to C; unchanged ones, and those that see only unchanged .pxd files, are kept."""
    from Cython.Build import cythonize  # here: this file must load where Cython is not installed
    from Cython.Compiler.Errors import CompileError

    try:
        made: list[Extension] = cythonize(
            extensions,
            build_dir=GENERATED,
            compiler_directives=DIRECTIVES,
            nthreads=jobs(),
            quiet=True,
        )
    except CompileError as exc:
        raise CannotCompile(f"Cython refused a module: {exc}") from exc
    return made


class BuildExt(build_ext):
    """setuptools' build_ext over the hot modules instead of a list written by hand; all of them or none."""

    extensions: list[Extension]
    inplace: bool
    parallel: int | bool | None

    def finalize_options(self) -> None:
        """Put the hot modules in the place of the placeholder of pyproject.toml."""
        self.distribution.ext_modules = [] if is_set("ZBUF_PURE") else hot_extensions()
        super().finalize_options()
        self.parallel = self.parallel or jobs()

    def run(self) -> None:
        """Build all hot modules, or leave none behind, and say once which form this is."""
        wanted = list(self.extensions)
        in_place = self.inplace  # setuptools' run() switches it off for a while, and leaves it so when it fails
        try:
            if is_set("ZBUF_PURE"):
                raise CannotCompile("ZBUF_PURE is set")
            self._compile(wanted)
        except CannotCompile as exc:
            self.inplace = in_place
            self._remove(hot_extensions())
            self.extensions = self.distribution.ext_modules = []
            if is_set("ZBUF_REQUIRE_COMPILED"):
                raise SystemExit(f"zbuf: ZBUF_REQUIRE_COMPILED is set, but {exc}") from exc
            say(f"zbuf: built the interpreted form: {exc}")
        else:
            say(f"zbuf: built the compiled form: {len(wanted)} modules for Python {sys.version.split()[0]}")

    def _compile(self, wanted: list[Extension]) -> None:
        require_tools()
        sources = {extension.name: extension.sources for extension in to_c(wanted)}
        for extension in wanted:
            extension.sources = sources[extension.name]
        try:
            super().run()
        except Exception as exc:  # the compiler's errors share no class across versions of setuptools
            raise CannotCompile(f"the C compiler failed: {exc}") from exc
        for path in self._products(wanted):
            if path.exists():
                os.utime(path)  # one time for all: `_form` compares the oldest of them with the sources

    def _products(self, extensions: list[Extension]) -> list[Path]:
        names = [self.get_ext_filename(extension.name) for extension in extensions]
        return [Path(self.build_lib, name) for name in names] + [ROOT / name for name in names if self.inplace]

    def _remove(self, extensions: list[Extension]) -> None:
        for path in self._products(extensions):
            path.unlink(missing_ok=True)


class BdistWheel(bdist_wheel):
    """A wheel made of what is there now; without extension modules it is a wheel for every platform."""

    def finalize_options(self) -> None:
        """Drop the placeholder first: setuptools takes the wheel's name from whether there are extensions."""
        if is_set("ZBUF_PURE"):
            self.distribution.ext_modules = []
        super().finalize_options()

    def run(self) -> None:
        """Start from an empty build directory: modules since removed or renamed would travel along."""
        if not self.skip_build:
            shutil.rmtree(self.get_finalized_command("build").build_lib, ignore_errors=True)
        super().run()


def say(text: str) -> None:
    """Print one line where the installer's log keeps it."""
    print(text, file=sys.stderr, flush=True)


def clean() -> None:
    """Remove every extension module beside the sources, and the C files."""
    for suffix in ("*.so", "*.pyd"):
        for path in PACKAGE.rglob(suffix):
            path.unlink()
    shutil.rmtree(ROOT / GENERATED, ignore_errors=True)


def build_in_place() -> None:
    """Compile beside the sources; exit with a message when that fails."""
    os.chdir(ROOT)
    os.environ.setdefault("ZBUF_REQUIRE_COMPILED", "1")  # asked for by name, so a failure is an error
    command: Any = BuildExt(Distribution({"name": "zbuf", "packages": []}))
    command.inplace = True
    command.ensure_finalized()
    command.run()


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments == ["--clean"]:
        clean()
    elif not arguments:
        build_in_place()
    else:
        raise SystemExit("usage: python zbuf/_build.py [--clean]")


if __name__ == "__main__":
    main(sys.argv[1:])
