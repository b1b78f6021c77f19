"""Text for a terminal.

Owns    the version line, the escaping of what others wrote, and the one exception a command ends with.
Never   what is said.
Always  no control character of a peer, or of a file name, reaches the terminal as it is.
"""

import platform

from zbuf import __version__
from zbuf._form import form

__all__ = ["CommandError", "printable", "version_line"]

LONGEST = 200  # arbitrary: a target may have 8 KiB


class CommandError(Exception):
    """A command cannot be done; the message is one line for the user."""


def version_line() -> str:
    """Return version, form and Python in one line."""
    return f"zbuf {__version__} ({form()}, {platform.python_implementation()} {platform.python_version()})"


def printable(text: str, longest: int = LONGEST) -> str:
    """Return `text` with everything that is not printable ASCII escaped, cut after `longest` characters."""
    shown = text[:longest]
    escaped = "".join(c if " " <= c <= "~" and c != "\\" else _escape(c) for c in shown)
    return escaped if len(shown) == len(text) else f"{escaped}... ({len(text)} characters)"


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
