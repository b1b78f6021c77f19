"""Media types by the end of a file's name.

Owns    the table: Python's own, and what it lacks.
Never   the contents of a file: nothing is sniffed, and clients are told not to sniff either.
Always  text says its charset; what nobody knows is application/octet-stream.
"""

import mimetypes
from functools import lru_cache

__all__ = ["content_type"]

UNKNOWN = "application/octet-stream"

_MORE = {
    "avif": "image/avif",
    "c": "text/plain",
    "cfg": "text/plain",
    "h": "text/plain",
    "ini": "text/plain",
    "js": "text/javascript",  # RFC 9239; Python 3.11 still says application/javascript
    "log": "text/plain",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "pxd": "text/plain",
    "py": "text/plain",
    "pyx": "text/plain",
    "rst": "text/plain",
    "toml": "application/toml",
    "wasm": "application/wasm",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    # compressed files are what they are: no Content-Encoding, or a client would unpack what it wants to keep
    "br": UNKNOWN,
    "bz2": "application/x-bzip2",
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "xz": "application/x-xz",
    "zst": "application/zstd",
}
_UTF_8_TOO = frozenset(("application/javascript", "application/json", "image/svg+xml"))


# As it comes with Python. mimetypes.init() would read files of the system; nobody calls it here.
_TABLE = mimetypes.types_map | {f".{suffix}": kind for suffix, kind in _MORE.items()}


def content_type(name: str) -> str:
    """Return the Content-Type for a file of this name."""
    dot = name.rfind(".")
    return _by_suffix(name[dot:].lower()) if dot >= 0 else UNKNOWN


@lru_cache(maxsize=1024)  # a pure function of a short text; bounded, since peers choose names
def _by_suffix(suffix: str) -> str:
    kind = _TABLE.get(suffix, UNKNOWN)
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _UTF_8_TOO else kind
