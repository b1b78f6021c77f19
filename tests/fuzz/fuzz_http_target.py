"""Any target gives a place below the root or a refusal; whatever is opened there is a file of the tree.

python tests/fuzz/fuzz_http_target.py -max_total_time=60 tests/fuzz/corpus/http_target     (needs atheris)
"""

import os
import sys
import tempfile
from pathlib import Path

from zbuf.protocols.http import HttpRequest, StaticFiles

SECRET = b"outside"


def tree(parent: Path) -> Path:
    """A root with links that lead out, and a secret beside it."""
    (parent / "secret").write_bytes(SECRET)
    root = parent / "root"
    (root / "dir").mkdir(parents=True)
    (root / "a").write_bytes(b"inside")
    (root / "dir" / "b").write_bytes(b"inside")
    (root / "out").symlink_to(parent)
    (root / "dir" / "up").symlink_to("../../secret")
    os.mkfifo(root / "fifo")
    return root


def one_input(data: bytes, files: StaticFiles) -> None:
    """Ask for `data`, as far as a request line could carry it."""
    target = data.decode("latin-1")
    if not target or not all("!" <= character <= "~" for character in target):
        return
    response = files(HttpRequest("GET", target))
    body = response.body
    try:
        assert response.status in (200, 301, 400, 404)
        if body is not None and not isinstance(body, bytes):
            found = os.pread(body.fileno(), 100, 0)  # type: ignore[union-attr]  # a region
            assert found == b"inside"
        else:
            assert SECRET not in (body or b"").replace(b"secret", b"")
        for name, value in response.fields:
            assert value.isascii() and value.isprintable(), name
            assert name != "Location" or (value.startswith("/") and not value.startswith("//"))
    finally:
        response.release()


if __name__ == "__main__":
    import atheris

    with tempfile.TemporaryDirectory() as place, StaticFiles(tree(Path(place))) as served:
        atheris.instrument_all()
        atheris.Setup(sys.argv, lambda data: one_input(data, served))
        atheris.Fuzz()
