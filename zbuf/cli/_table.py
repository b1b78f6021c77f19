"""Tables on a terminal: by rich where it is installed, else in plain columns.

Owns    the choice between both. Never a figure. Always the same words, whichever is there.
"""

from collections.abc import Sequence

__all__ = ["show"]


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; columns whose cells are all empty are left out."""
    kept = [at for at in range(len(head)) if any(row[at] for row in rows)]
    head = [head[at] for at in kept]
    rows = [[row[at] for at in kept] for row in rows]
    if not rows:
        return
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        _plain(title, head, rows)
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold", justify="right" if _is_numeric(name, head, rows) else "left")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 120  # a file or a pipe has no width of its own; 80 would fold the words
    console.print(table)


def _is_numeric(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    at = head.index(name)
    cells = [row[at].replace(",", "").replace(".", "").lstrip("-") for row in rows if row[at]]
    return bool(cells) and all(cell.isdigit() for cell in cells)


def _plain(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    print(title)
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print()
