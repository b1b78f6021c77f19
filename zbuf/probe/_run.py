"""One run of all trials, kept until the kernel or the file system is another.

Owns    the order of the trials, the name of the file system, the cache.
Never   a trial.
Always  a cache that cannot be read or written is no error; what comes from it says so.
"""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from zbuf.audit import Verdict
from zbuf.probe._findings import Findings
from zbuf.probe._mutation import MUTATIONS, mutation
from zbuf.probe._others import OTHERS, interfaces, other

__all__ = ["probe", "verdicts"]


def probe(directory: str | os.PathLike[str] | None = None, *, fresh: bool = False) -> Findings:
    """Return what this kernel does with files in `directory`, by default that of temporary files.

    Takes about a second; the result is kept in the user's cache for this kernel release and file system, unless
    `fresh`. Raises: NotADirectoryError, FileNotFoundError, PermissionError for a directory that cannot be used."""
    where = os.path.abspath(tempfile.gettempdir() if directory is None else os.fspath(directory))
    with tempfile.TemporaryFile(dir=where):
        pass  # raises what is wrong with the directory, before anything is said about the kernel
    base = Findings(platform.release(), platform.machine(), where, file_system_of(where))
    kept = None if fresh else _read(base)
    if kept is not None:
        return replace(kept, directory=where, interfaces=interfaces(), is_cached=True)
    techniques = [mutation(name, where) for name in MUTATIONS] + [other(name, where) for name in OTHERS]
    found = replace(base, techniques=tuple(techniques), interfaces=interfaces())
    _write(found)
    return found


def verdicts(found: Findings | None = None) -> Mapping[str, Verdict]:
    """Return, by the name of the system call, what is known of the kernel's own copies: for `Bill.kernel_copied`."""
    result = probe() if found is None else found
    names = {
        "sendfile": ("sendfile",),
        "splice": ("splice",),
        "sendmsg": ("sendmsg", "send"),
        "vmsplice": ("vmsplice",),
    }
    return {call: result[name].verdict for name, calls in names.items() for call in calls}


def file_system_of(directory: str) -> str:
    """Return the type of the file system that a directory lies on, "unknown" where nobody says."""
    best, kind = "", "unknown"
    with suppress(OSError), open("/proc/self/mounts", errors="surrogateescape") as mounts:
        for line in mounts:
            _, point, name, *_ = line.split(" ")
            point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
            inside = directory == point or directory.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, name
    return kind


def _cache(found: Findings) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", f"probe-{found.kernel}-{found.machine}-{found.file_system}")
    return Path(home, "zbuf", f"{name}.json")


def _read(base: Findings) -> Findings | None:
    try:
        found = Findings.from_json(_cache(base).read_text())
    except (OSError, ValueError):
        return None
    same = (found.kernel, found.machine, found.file_system) == (base.kernel, base.machine, base.file_system)
    complete = {finding.name for finding in found.techniques} == {*MUTATIONS, *OTHERS}
    return found if same and complete else None


def _write(found: Findings) -> None:
    path = _cache(found)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(found.to_json())
        os.replace(file.name, path)
