"""The commands of `python -m zbuf`.

`serve DIR` serves the files of a directory over HTTP/1.1 and prints the bill of every request;
`probe` finds out what this kernel does under each zero-copy technique; `compare
FILE` sends a file by every one of them and prints what each cost.
"""

from zbuf.cli._main import main

__all__ = ["main"]
