"""The compression libraries that are not Python's own: found when first used, or an error that says what to install.

Owns    which extra brings which library.
Never   what they do.
Always  importing zbuf imports none of them.
"""

from __future__ import annotations

import importlib
from typing import Any

EXTRAS = {"zstandard": "zstd", "lz4.frame": "lz4", "brotli": "brotli"}
NEEDED = {"brotli": ("Decompressor", "can_accept_more_data")}  # 1.2: before it, output could not be bounded


def load(name: str) -> Any:
    """Return the library `name`. Raises: ImportError that names the extra which brings it."""
    extra = EXTRAS[name]
    try:
        library = importlib.import_module(name)
    except ImportError as exc:
        raise ImportError(f"{name} is not installed: pip install 'zbuf[{extra}]'", name=name) from exc
    if name in NEEDED:
        owner, method = NEEDED[name]
        if not hasattr(getattr(library, owner, None), method):
            raise ImportError(f"{name} is too old, its output has no bound: pip install -U 'zbuf[{extra}]'", name=name)
    return library
