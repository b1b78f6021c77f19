"""The two forms: which one runs, that they are never mixed, and that a surprise is said once."""

import importlib.machinery
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import zbuf
import zbuf._form

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
FOREIGN = ".cpython-399-x86_64-linux-gnu.so"

ASK = """
import zbuf._form as form
from zbuf.memory import _memory
from zbuf.buffer import _twice
print(form.FORM, form.form(), form.EXPORTS_BUFFERS, _memory.__file__.rpartition(".")[2], _twice.twice(21), sep="|")
"""


def python(where: Path, code: str, *flags: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh process that finds zbuf in `where` only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZBUF_", "PYTHON"))}
    command = [sys.executable, *flags, "-c", f"import sys; sys.path.insert(0, {str(where)!r})\n{code}"]
    return subprocess.run(
        command, cwd=where, env=kept | environment, capture_output=True, text=True, timeout=50, check=False
    )


def small_tree(where: Path) -> Path:
    """A package with the real _form, _build and _cython, and two tiny hot modules, one of them written twice."""
    package = where / "zbuf"
    for room in ("memory", "buffer"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text('"""A room."""\n')
    for name in ("_form.py", "_build.py", "_cython.py"):
        shutil.copy2(ROOT / "zbuf" / name, package / name)
    (package / "__init__.py").write_text("from zbuf import _form as _form\n")
    (package / "memory" / "_memory.pxd").write_text("cdef long long double_it(long long x) except? -1\n")
    (package / "memory" / "_memory.py").write_text("def double_it(x):\n    return 2 * x\n")
    (package / "memory" / "_memory.pyx").write_text(
        "cdef long long double_it(long long x) except? -1:\n    return 2 * x\n"
    )
    (package / "buffer" / "_twice.pxd").write_text(
        "from zbuf.memory._memory cimport double_it\ncpdef object twice(long long x)\n"
    )
    (package / "buffer" / "_twice.py").write_text(
        "try:\n    import cython\nexcept ImportError:\n    from zbuf import _cython as cython\n"
        "if not cython.compiled:\n    from zbuf.memory._memory import double_it\n"
        "def twice(x):\n    return double_it(x)\n"
    )
    return package


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small tree of its own for one test."""
    return small_tree(tmp_path)


def pretend(package: Path, suffix: str, *modules: str) -> None:
    """Put files in the place of extension modules that no loader accepts."""
    for module in modules:
        (package / f"{module}{suffix}").write_bytes(b"\x7fELF, but not really")


BOTH = ("memory/_memory", "buffer/_twice")


def break_by_foreign(package: Path) -> None:
    """Extension modules of another Python."""
    pretend(package, FOREIGN, *BOTH)


def break_by_garbage(package: Path) -> None:
    """Extension modules that cannot be loaded."""
    pretend(package, SUFFIX, *BOTH)


def break_by_missing(package: Path) -> None:
    """One extension module of two."""
    pretend(package, SUFFIX, BOTH[0])


def break_by_age(package: Path) -> None:
    """Extension modules older than a source, in a source tree."""
    pretend(package, SUFFIX, *BOTH)
    (package.parent / "pyproject.toml").write_text("")
    later = (package / f"{BOTH[0]}{SUFFIX}").stat().st_mtime + 10
    os.utime(package / "buffer" / "_twice.pxd", (later, later))


BREAKS = {
    "foreign": (break_by_foreign, "another Python"),
    "garbage": (break_by_garbage, "cannot be loaded"),
    "missing": (break_by_missing, "missing"),
    "age": (break_by_age, "older than"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_unusable_extensions_give_the_interpreted_form_and_one_note(what: str, package: Path) -> None:
    """Foreign, broken, missing or outdated extension modules: all runs interpreted, and one warning says why."""
    break_it, reason = BREAKS[what]
    break_it(package)
    done = python(package.parent, ASK)
    assert done.returncode == 0, done.stderr
    exports = sys.version_info >= (3, 12)
    assert f"interpreted|interpreted|{exports}|py|42\n" == done.stdout
    assert done.stderr.count("RuntimeWarning") == 1, done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize("what", BREAKS)
def test_unusable_extensions_fail_where_the_compiled_form_is_required(what: str, package: Path) -> None:
    """Under ZBUF_REQUIRE_COMPILED=1 the import fails and says what is wrong."""
    break_it, reason = BREAKS[what]
    break_it(package)
    done = python(package.parent, ASK, ZBUF_REQUIRE_COMPILED="1")
    assert done.returncode == 1
    assert "ImportError: ZBUF_REQUIRE_COMPILED is set" in done.stderr
    assert reason in done.stderr


def test_missing_extensions_altogether_need_no_note(package: Path) -> None:
    """Where nothing was built the interpreted form is no surprise; where it is required all the same, it fails."""
    done = python(package.parent, ASK)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("interpreted|interpreted|")
    assert python(package.parent, ASK, ZBUF_REQUIRE_COMPILED="1").returncode == 1


def test_pure_form_is_taken_without_a_note_whatever_lies_there(package: Path) -> None:
    """ZBUF_PURE=1 prefers the sources to extension modules beside them, and need not explain itself."""
    break_by_garbage(package)
    done = python(package.parent, ASK, ZBUF_PURE="1")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("interpreted|interpreted|")


def hot_modules() -> list[str]:
    """The modules of the real package that have a compiled form."""
    package = ROOT / "zbuf"
    typed = [path for path in package.rglob("*.pxd") if path.stem != "__init__" and path.with_suffix(".py").exists()]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in typed)


LOAD_ALL = """
import importlib, zbuf._form
for name in {names!r}:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("zbuf"):
            raise
        continue  # an extra that is not installed here
    print(type(module.__spec__.loader).__name__)
print(zbuf._form.form())
"""


def test_all_hot_modules_run_in_one_form() -> None:
    """Each module with a compiled form is loaded in the form that the run is about."""
    names = hot_modules()
    assert len(names) >= 5
    compiled = zbuf._form.form() == "compiled"
    switch = {"ZBUF_REQUIRE_COMPILED": "1"} if compiled else {}
    done = python(Path(zbuf.__file__).parent.parent, LOAD_ALL.format(names=names), **switch)
    assert done.returncode == 0, done.stderr
    *loaders, form = done.stdout.split()
    assert ["ExtensionFileLoader" if compiled else "SourceFileLoader"] == sorted(set(loaders))
    assert zbuf._form.form() == form


def test_pure_run_of_the_real_package_loads_no_extension() -> None:
    """ZBUF_PURE=1 holds for every hot module, also where the compiled form lies beside it."""
    done = python(Path(zbuf.__file__).parent.parent, LOAD_ALL.format(names=hot_modules()), ZBUF_PURE="1")
    assert done.returncode == 0, done.stderr
    assert {"SourceFileLoader", "interpreted"} == set(done.stdout.split())


HARMLESS = """
import os, signal, threading
def state():
    return len(os.listdir("/proc/self/fd")), threading.active_count(), [signal.getsignal(n) for n in (2, 13, 15)]
before = state()
import zbuf
assert before == state(), (before, state())
print(zbuf.__version__)
"""


@pytest.mark.parametrize(
    "flags", [(), ("-O",), ("-OO",), ("-I",), ("-X", "frozen_modules=off"), ("-W", "error")], ids=str
)
def test_import_leaves_the_process_as_it_was(flags: tuple[str, ...]) -> None:
    """Importing zbuf opens nothing, starts nothing, sets no signal handler; also stripped, isolated, without a home."""
    done = python(Path(zbuf.__file__).parent.parent, HARMLESS, *flags, HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == zbuf.__version__


# The build itself: needs Cython, setuptools and a compiler. The compiled runs of nox install them.


def require_build_tools() -> None:
    """Skip, and name what is missing."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools", minversion="77")
    if not shutil.which("gcc") and not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        pytest.skip("the headers of this Python are not installed")


def build(package: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the build step as a script."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZBUF_")}
    command = [sys.executable, str(package / "_build.py"), *arguments]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, timeout=100, check=False)


def extensions(package: Path) -> list[str]:
    """The extension modules that lie in a tree, in the package or in the build directory."""
    return sorted(path.name for path in package.parent.rglob("*.so"))


@pytest.mark.timeout(180)
def test_build_is_all_or_nothing(package: Path) -> None:
    """A build gives the compiled form; one that fails removes what an earlier one left; --clean removes all."""
    require_build_tools()
    (package.parent / "pyproject.toml").write_text("")
    done = build(package)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("built the compiled form: 2 modules") == 1
    assert "compiled|compiled|True|so|42\n" == python(package.parent, ASK, ZBUF_REQUIRE_COMPILED="1").stdout
    assert python(package.parent, ASK, ZBUF_PURE="1").stdout.startswith("interpreted|interpreted|")

    source = package / "buffer" / "_twice.py"
    good = source.read_text()
    source.write_text(good + "this is no Python\n")
    done = build(package)
    assert done.returncode == 1
    assert "Cython refused a module" in done.stderr
    assert [] == extensions(package)

    source.write_text(good)
    done = build(package, CC="/nonexistent/cc")
    assert done.returncode == 1
    assert "the C compiler failed" in done.stderr
    assert [] == extensions(package)

    assert build(package).returncode == 0
    assert extensions(package)
    assert build(package, "--clean").returncode == 0
    assert [] == list(package.rglob("*.so"))
    assert [] == list(package.parent.rglob("*.c"))


@pytest.mark.timeout(180)
def test_build_under_pure_makes_nothing(package: Path) -> None:
    """ZBUF_PURE=1 skips the compilation and says so; asked for both, the build step fails."""
    require_build_tools()
    done = build(package, ZBUF_PURE="1", ZBUF_REQUIRE_COMPILED="0")
    assert done.returncode == 0, done.stderr
    assert "built the interpreted form: ZBUF_PURE is set" in done.stderr
    assert [] == extensions(package)
