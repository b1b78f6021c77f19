"""Planted faults that a sanitizer build must report: run before the suite, so that its silence means something.

    CFLAGS=... LDFLAGS=... LD_PRELOAD=... python .ci/canaries.py     as `nox -s asan` calls it

Each fault runs in a process of its own. Exit status 1 when one of them goes unreported.
"""

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SOURCE = r"""
#include <Python.h>
#include <limits.h>
#include <stdint.h>
static volatile size_t far = 64;
static PyObject *overread(PyObject *m, PyObject *n) {
    char *volatile p = malloc(64); memset(p, 1, 64); long v = p[far]; free(p); return PyLong_FromLong(v); }
static PyObject *after_free(PyObject *m, PyObject *n) {
    char *p = malloc(64); p[3] = 7; free(p); return PyLong_FromLong(((volatile char *)p)[3]); }
static PyObject *overflow(PyObject *m, PyObject *n) {
    volatile long long big = LLONG_MAX; return PyLong_FromLongLong(big + 1); }
static PyObject *misaligned(PyObject *m, PyObject *n) {
    static char room[16]; volatile uintptr_t at = (uintptr_t)room | 1; return PyLong_FromLong(*(int32_t *)at); }
static PyMethodDef methods[] = {
    {"overread", overread, METH_NOARGS, ""}, {"after_free", after_free, METH_NOARGS, ""},
    {"overflow", overflow, METH_NOARGS, ""}, {"misaligned", misaligned, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "canary", "", -1, methods};
PyMODINIT_FUNC PyInit_canary(void) { return PyModule_Create(&module); }
"""
REPORTS = {
    "overread": "heap-buffer-overflow",
    "after_free": "heap-use-after-free",
    "overflow": "signed integer overflow",
    "misaligned": "misaligned address",
}


def compiled(directory: Path) -> Path:
    """Compile the planted faults with the flags of the sanitizer build."""
    source, module = directory / "canary.c", directory / f"canary{sysconfig.get_config_var('EXT_SUFFIX')}"
    source.write_text(SOURCE)
    flags = [*os.environ.get("CFLAGS", "").split(), *os.environ.get("LDFLAGS", "").split()]
    include = f"-I{sysconfig.get_paths()['include']}"
    clean = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    subprocess.run(["gcc", "-shared", "-fPIC", include, *flags, "-o", str(module), str(source)], check=True, env=clean)
    return module


def load_and_call(path: str, fault: str) -> None:
    """Commit one fault; a sanitizer ends the process here."""
    spec = importlib.util.spec_from_file_location("canary", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, fault)()


def main() -> None:
    """Commit each fault and look for its report."""
    with tempfile.TemporaryDirectory() as directory:
        module = compiled(Path(directory))
        silent = []
        for fault, report in REPORTS.items():
            command = [sys.executable, __file__, str(module), fault]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            heard = done.returncode != 0 and report in done.stderr
            print(f"{'reported' if heard else 'NOT REPORTED'}: {fault} ({report})", flush=True)
            if not heard:
                silent.append(fault)
        if silent:
            raise SystemExit(f"the sanitizers are not at work: {', '.join(silent)} went unnoticed")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        load_and_call(*sys.argv[1:])
    else:
        main()
