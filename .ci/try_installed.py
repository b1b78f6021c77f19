"""Try an installed zbuf as its user would: ask its version, serve a directory over loopback, fetch a file.

    PYTHON -I .ci/try_installed.py [compiled|interpreted]

Run it by the Python of the environment to try, away from the sources. Exit status 0 when all went well.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

COMMAND = [sys.executable, "-I", "-m", "zbuf"]


def check(claim: str, holds: bool) -> None:
    """Print a claim; stop when it does not hold."""
    print(("ok: " if holds else "FAILED: ") + claim, flush=True)
    if not holds:
        raise SystemExit(1)


def address_of(server: "subprocess.Popen[str]") -> str:
    """Read what the server prints until it says where it listens."""
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://[\w.\[\]:]+:\d+", line)
        if found:
            return found[0]
    raise SystemExit("FAILED: the server ended without saying where it listens")


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    """Return status and body."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read()


def try_serving(directory: Path) -> None:
    """Serve a directory with a file larger than any buffer of ours, and fetch from it."""
    content = hashlib.sha256(b"zbuf").digest() * 200_000
    (directory / "a file.bin").write_bytes(content)
    command = [*COMMAND, "serve", str(directory), "--port", "0"]
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=unbuffered) as server:
        try:
            address = address_of(server)
            check("the whole file arrives unchanged", (200, content) == fetch(f"{address}/a%20file.bin"))
            part = fetch(f"{address}/a%20file.bin", Range="bytes=1000000-1000999")
            check("a range of it arrives unchanged", (206, content[1_000_000:1_001_000]) == part)
            check("the directory is listed", b"a%20file.bin" in fetch(f"{address}/")[1])
            check("what is not there is a 404", fetch(f"{address}/nothing")[0] == 404)
            check("what is outside is not served", fetch(f"{address}/%2e%2e/%2e%2e/etc/passwd")[0] in (400, 403, 404))
        finally:
            server.send_signal(signal.SIGINT)
        printed, _ = server.communicate(timeout=30)
        check("Ctrl-C ends it with status 0", server.returncode == 0)
        check("it printed the bill: sendfile, and what was copied", "sendfile" in printed and "copied" in printed)


def main() -> None:
    """Try the version line, then the server."""
    import zbuf  # here: what is tried is the installation

    installed = Path(sys.prefix).resolve() in Path(zbuf.__file__).resolve().parents
    check(f"zbuf is the installed one, {zbuf.__file__}", installed)
    version = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    check(f"it says its version and form: {version.strip()}", zbuf.__version__ in version)
    for form in sys.argv[1:]:
        check(f"it runs in the {form} form", form in version)
    with tempfile.TemporaryDirectory() as directory:
        try_serving(Path(directory))


if __name__ == "__main__":
    main()
