"""One verb per check. `python -m nox` runs what a change must pass; CI runs the same line.

Owns    environments: each session makes its own under .nox/ and keeps it for the next run.
Never   a check of its own: it calls ruff, mypy, pytest, sphinx, benchmarks and pip as a person would.
Always  an interpreter or a client that is missing is named and left out; it never fails a run. The source tree stays
        clean: tests of a form run in a copy, so no extension module comes to lie beside the sources.

    python -m nox                              lint, types, tests, docs, build
    python -m nox -s "tests(3.12, compiled)"   one Python, one form; what follows `--` goes to pytest
    python -m nox -s bench -- --quick          the benchmark tables; also: asan, nightly
    python -m nox -s budget                    write the cost of every operation on buffers into the tree
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests", "docs", "build"]
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # CI=true would make a missing Python an error

ROOT = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.12", "3.13")
FORMS = ("compiled", "interpreted")
CLIENTS = {  # command -> Debian package: real programs some tests talk to
    "curl": "curl",
    "strace": "strace",
    "redis-benchmark": "redis-tools",
    "haproxy": "haproxy",
}


def interpreter(version: str) -> str:
    """Return a Python of this version that really starts; where there is none, a name that says so.

    A pyenv shim may lie on the PATH and yet refuse to run, so each candidate is tried.
    """
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [getattr(sys, "_base_executable", sys.executable)] if version == ours else []
    candidates += [str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)]
    candidates += [path for path in [shutil.which(f"python{version}")] if path]
    for candidate in candidates:
        if starts(candidate, version):
            return candidate
    return f"python{version}-is-missing-here"


def starts(executable: str, version: str) -> bool:
    """Say whether this executable is a CPython of this version."""
    probe = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([executable, "-I", "-c", probe], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == ["cpython", version]


FOUND = {version: interpreter(version) for version in PYTHONS}
# lint, types, docs and build need one Python: the oldest there is, because it accepts the least
TOOLS = next((path for path in FOUND.values() if os.path.isabs(path)), sys.executable)


def tracked() -> Iterator[str]:
    """Name the files a copy of the project consists of: what git knows and what it does not ignore."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        yield from filter(None, done.stdout.split("\0"))
        return
    left_out = {".git", ".nox", ".venv", "build", "dist", "__pycache__"}  # an unpacked sdist: no git there
    for path in ROOT.rglob("*"):
        relative = path.relative_to(ROOT)
        if path.is_file() and not left_out.intersection(relative.parts) and path.suffix not in (".so", ".pyc"):
            yield str(relative)


def own_place(session: nox.Session) -> Path:
    """Return the session's own directory. create_tmp() would move TMPDIR too deep for names of sockets."""
    return (ROOT / session.virtualenv.location).resolve()


def copy_of_the_tree(session: nox.Session) -> Path:
    """Copy the project into the session's own directory and return the copy's root.

    Times are kept, so an extension module of an earlier run is built again exactly when its source has changed.
    """
    copy = own_place(session) / "tree"
    wanted = set(tracked())
    for path in copy.rglob("*"):
        relative = path.relative_to(copy)
        is_source = path.suffix in (".py", ".pyx", ".pxd") and relative.parts[0] not in ("build", ".hypothesis")
        if is_source and path.is_file() and str(relative) not in wanted:
            path.unlink()
    for name in wanted:
        source, target = ROOT / name, copy / name
        if not source.is_file():
            continue  # deleted, not yet committed
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return copy


def has_headers(executable: str) -> bool:
    """Say whether C can be compiled against this Python."""
    probe = "import os, sysconfig; print(os.path.exists(os.path.join(sysconfig.get_paths()['include'], 'Python.h')))"
    done = subprocess.run([executable, "-c", probe], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "True"


def apt_install(session: nox.Session, *packages: str) -> None:
    """Install Debian packages where that is possible; say what is missing where it is not."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        session.warn(f"missing here, and not ours to install: {', '.join(packages)}")
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    session.run("apt-get", "update", "-qq", external=True, silent=True, success_codes=[0, 100], env=quiet)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    session.run(*command, external=True, silent=True, success_codes=[0, 100], env=quiet)


def ensure_clients(session: nox.Session) -> None:
    """Install the real clients that tests talk to. A test whose client stays missing skips and names it."""
    missing = [package for command, package in CLIENTS.items() if not shutil.which(command)]
    if missing:
        apt_install(session, *missing)


@nox.session(python=TOOLS)
def lint(session: nox.Session) -> None:
    """Ruff: the rules, then the format."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=TOOLS)
def types(session: nox.Session) -> None:
    """Check the package with mypy --strict; programs of users, and mistakes of users, with mypy and with pyright."""
    session.install("mypy>=1.14", "basedpyright==1.40.2", "numpy", "httptools", "uvloop", "hypothesis", "nox")
    session.install("pytest", "pytest-timeout", "rich")
    session.run("mypy", "--strict", "zbuf")
    for path in ("docs/examples", "benchmarks"):
        session.run("mypy", "--strict", path)
    session.run("python", "-m", "pytest", "tests/typing", env={"ZBUF_PURE": "1"})


@nox.session
@nox.parametrize("form", [nox.param(form, id=form) for form in FORMS])
@nox.parametrize("python", [nox.param(FOUND[version], id=version) for version in PYTHONS])
def tests(session: nox.Session, form: str) -> None:
    """Run the whole suite in one form, in a copy of the tree, against an editable install."""
    python = str(session.python)
    if form == "compiled" and not has_headers(python):
        apt_install(session, "python3-dev")
        if not has_headers(python):
            session.skip(f"the compiled form cannot be built: the headers of {python} (Python.h) are missing")
    ensure_clients(session)
    copy = copy_of_the_tree(session)
    environment = {"ZBUF_EXPECT_FORM": form}
    switch = {"ZBUF_REQUIRE_COMPILED": "1"} if form == "compiled" else {"ZBUF_PURE": "1"}
    session.chdir(copy)
    session.install("-e", ".[test]", env=switch)
    if form == "compiled":
        environment |= switch  # the interpreted run must find its form by itself: nothing was built there
        session.install("cython==3.3.1", "setuptools>=77")  # the tests of the build step; the other run does without
    session.run("python", "-m", "pytest", *session.posargs, env=environment)
    if form == "compiled" and python == TOOLS and not session.posargs:
        # The third way to run: interpreted with Cython installed, whose own `cython` module then answers.
        third = {"ZBUF_PURE": "1", "ZBUF_REQUIRE_COMPILED": "0", "ZBUF_EXPECT_FORM": "interpreted"}
        rooms = [f"tests/{room}" for room in ("memory", "buffer", "codec", "outbound", "pipeline", "contracts")]
        session.run("python", "-m", "pytest", *filter(os.path.isdir, rooms), env=third)


@nox.session
@nox.parametrize("form", [nox.param(form, id=form) for form in FORMS])
@nox.parametrize("python", [nox.param(FOUND[version], id=version) for version in PYTHONS])
def budget(session: nox.Session, form: str) -> None:
    """Measure what each operation on buffers costs, and write it into tests/counts/budget.toml of this tree."""
    python = str(session.python)
    if form == "compiled" and not has_headers(python):
        session.skip(f"the compiled form cannot be built: the headers of {python} (Python.h) are missing")
    session.chdir(copy_of_the_tree(session))
    switch = {"ZBUF_REQUIRE_COMPILED": "1"} if form == "compiled" else {"ZBUF_PURE": "1"}
    session.install("-e", ".[test]", env=switch)
    session.run("python", "-m", "tests.counts", "--file", str(ROOT / "tests" / "counts" / "budget.toml"), env=switch)


@nox.session(python=TOOLS)
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error, also one about a link that leads nowhere."""
    copy = copy_of_the_tree(session)
    session.chdir(copy)
    session.install("-e", ".[docs]", env={"ZBUF_PURE": "1"})  # signatures are read off the interpreted form
    target = ROOT / "docs" / "_build" / "html"
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-E", "docs", str(target))
    session.log(f"open {target / 'index.html'}")


@nox.session(python=TOOLS)
def build(session: nox.Session) -> None:
    """Make the sdist and a wheel from it, install the wheel into an empty environment, and serve a file with it."""
    session.install("build")
    made = own_place(session) / "dist"
    shutil.rmtree(made, ignore_errors=True)
    copy = copy_of_the_tree(session)
    form = "compiled" if has_headers(str(session.python)) else "interpreted"
    required = {"ZBUF_REQUIRE_COMPILED": "1"} if form == "compiled" else {}
    session.run("python", "-m", "build", "--outdir", str(made), str(copy), env=required, silent=True)
    sdist, wheel = next(made.glob("*.tar.gz")), next(made.glob("*.whl"))
    session.log(f"made {sdist.name} ({sdist.stat().st_size} bytes), {wheel.name} ({wheel.stat().st_size} bytes)")
    empty = own_place(session) / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    session.run("python", "-m", "venv", "--without-pip", str(empty))
    python = str(empty / "bin" / "python")
    session.run("python", "-m", "pip", "--python", python, "install", "-q", f"{wheel}[http,cli]")
    session.chdir(made)  # away from the sources: what answers must be the installed package
    session.run(python, "-I", str(ROOT / ".ci" / "try_installed.py"), form, external=True)


@nox.session(python=TOOLS)
def bench(session: nox.Session) -> None:
    """Print the benchmark tables, compiled form; give `--quick` or names after `--`."""
    copy = copy_of_the_tree(session)
    session.chdir(copy)
    session.install("-e", ".[test]", env={"ZBUF_REQUIRE_COMPILED": "1"})
    arguments = session.posargs or ["--quick"]
    session.run("python", "-m", "benchmarks", *arguments, env={"ZBUF_REQUIRE_COMPILED": "1"})


@nox.session(python=TOOLS)
def nightly(session: nox.Session) -> None:
    """Run the model tests for long, in both forms: thousands of random histories, each of a hundred steps."""
    copy = copy_of_the_tree(session)
    session.chdir(copy)
    session.install("-e", ".[test]", env={"ZBUF_REQUIRE_COMPILED": "1"})
    options = ["--hypothesis-profile=nightly", "--hypothesis-show-statistics", "--timeout=14400"]
    forms = {"compiled": {"ZBUF_REQUIRE_COMPILED": "1"}, "interpreted": {"ZBUF_PURE": "1"}}
    for form, switch in forms.items():
        environment = {**switch, "ZBUF_EXPECT_FORM": form}
        session.run("python", "-m", "pytest", *options, *(session.posargs or ["tests/model"]), env=environment)


@nox.session(python=TOOLS)
def fence(session: nox.Session) -> None:
    """Run memory and buffers with each block on pages of its own, which nobody can touch once it was given back."""
    copy = copy_of_the_tree(session)
    session.chdir(copy)
    session.install("-e", ".[test]", env={"ZBUF_REQUIRE_COMPILED": "1"})
    where = session.posargs or ["tests/memory", "tests/buffer", "tests/contracts", "tests/hostile", "tests/codec"]
    for switch in ({"ZBUF_EXPECT_FORM": "compiled"}, {"ZBUF_PURE": "1", "ZBUF_EXPECT_FORM": "interpreted"}):
        environment = {**switch, "ZBUF_FENCE": "1"}
        session.run("python", "-X", "faulthandler", "-m", "pytest", *where, env=environment)


SANITIZE = "-fsanitize=address,undefined"


@nox.session(python=TOOLS)
def asan(session: nox.Session) -> None:
    """Run the suite on a build with ASan and UBSan; planted faults must be reported first."""
    copy = copy_of_the_tree(session)
    session.chdir(copy)
    session.install("cython==3.3.1", "setuptools>=77", "numpy", "hypothesis", "pytest", "pytest-timeout", "httptools")
    flags = {
        "CFLAGS": f"-O1 -g -fno-omit-frame-pointer -UNDEBUG -fno-wrapv {SANITIZE} -fno-sanitize-recover=all",
        "LDFLAGS": SANITIZE,
        "ZBUF_REQUIRE_COMPILED": "1",
    }
    session.run("python", "zbuf/_build.py", env=flags)
    runtime = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libstdc++.so")
    ]
    watched = {
        "LD_PRELOAD": " ".join(runtime),
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "ZBUF_EXPECT_FORM": "compiled",
    }
    session.run("python", ".ci/canaries.py", env=flags | watched)
    command = ["python", "-X", "faulthandler", "-m", "pytest", "-s", "-p", "no:cacheprovider", "--timeout=600"]
    session.run(*command, *(session.posargs or ["tests"]), env=watched)
