"""The page that lists a directory.

Owns    the HTML and its escaping.
Never   opens anything: it gets the descriptor of an open directory, and looks at names and sizes only.
Always  a name reaches the page escaped as text and quoted as a link; at most MAX_LISTED names are read.
"""

import html
import os
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["MAX_LISTED", "Listed", "listing_page", "read_directory"]

MAX_LISTED = 10_000  # arbitrary: about 1 MiB of page; a directory of millions must not stall the loop

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;margin:2em}}td{{padding:0 1.5em 0 0}}td+td{{text-align:right}}</style></head>
<body><h1>{title}</h1><table>
{rows}</table>{note}</body></html>
"""


class Listed(NamedTuple):
    """One entry: its name, its size in bytes, or None for what has none, and whether it is a directory."""

    name: str
    size: int | None
    is_directory: bool


def read_directory(fd: int, most: int = MAX_LISTED) -> tuple[list[Listed], bool]:
    """Return the entries of an open directory, directories first, and whether there were more than `most`.

    Links are not followed. Ownership: borrows `fd`. Raises: OSError.
    """
    found: list[Listed] = []
    with os.scandir(fd) as entries:
        for entry in islice(entries, most):
            try:
                is_directory = entry.is_dir(follow_symlinks=False)
                size = entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else None
            except FileNotFoundError:
                continue  # deleted meanwhile
            found.append(Listed(entry.name, size, is_directory))
        more = next(entries, None) is not None
    found.sort(key=lambda listed: (not listed.is_directory, listed.name))
    return found, more


def listing_page(relative: str, entries: list[Listed], *, more: bool = False) -> bytes:
    """Return the page for the directory `relative` ("" is the root) as UTF-8."""
    rows = ['<tr><td><a href="../">../</a></td><td></td></tr>\n'] if relative else []
    rows.extend(_row(entry) for entry in entries)
    title = html.escape(f"/{relative}/" if relative else "/")
    note = f"<p>Only {len(entries)} of the entries are shown.</p>" if more else ""
    return _PAGE.format(title=title, rows="".join(rows), note=note).encode("utf-8", "replace")


def _row(entry: Listed) -> str:
    name = entry.name + "/" if entry.is_directory else entry.name
    text = html.escape("".join(c if c.isprintable() else "\ufffd" for c in name))
    size = "" if entry.size is None else f"{entry.size:,}"
    try:
        link = quote(entry.name, safe="", errors="strict") + ("/" if entry.is_directory else "")
    except UnicodeEncodeError:  # a name that is not UTF-8 cannot be asked for
        return f"<tr><td>{text}</td><td>{size}</td></tr>\n"
    return f'<tr><td><a href="./{link}">{text}</a></td><td>{size}</td></tr>\n'
