"""What the environment asks of zbuf, apart from its form.

Owns    the two switches that have to be known before the first block is leased.
Never   another module of zbuf; a change after the import.
Always  a variable that is unset, empty or 0 asks for nothing.

Environment: ZBUF_LEDGER=1 keeps the leak ledger from the start; ZBUF_FENCE=1 puts every block on pages of its own that
cannot be touched any more when it was given back.
"""

import os

__all__ = ["FENCE", "LEDGER"]


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


LEDGER = _is_set("ZBUF_LEDGER")
FENCE = _is_set("ZBUF_FENCE")
