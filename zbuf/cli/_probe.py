"""`probe [DIR]`: which zero-copy techniques this machine has, and what the kernel really does under each.

Owns    the words and the order in which findings are shown.
Never   a trial.
Always  what was observed is called that; what could not be tried says why.
"""

import sys
from collections.abc import Sequence

from zbuf.audit import Verdict
from zbuf.cli._table import show
from zbuf.cli._text import CommandError
from zbuf.probe import Finding, Findings, Interface, probe

__all__ = ["run"]


def run(directory: str | None, *, as_json: bool, fresh: bool) -> int:
    """Probe, print, and return the exit code. Raises: CommandError for a directory that cannot be used."""
    if sys.platform != "linux":
        raise CommandError("the techniques that it looks for are those of Linux")
    try:
        found = probe(directory, fresh=fresh)
    except OSError as exc:
        raise CommandError(f"{directory or 'the directory of temporary files'}: {exc.strerror or exc}") from None
    if as_json:
        print(found.to_json())
    else:
        _print(found)
    return 0


def _print(found: Findings) -> None:
    cached = " (from the cache; --fresh tries again)" if found.is_cached else ""
    print(f"Linux {found.kernel} on {found.machine}, files on {found.file_system} in {found.directory}{cached}\n")
    senders = [finding for finding in found.techniques if finding.kind != "other"]
    others = [finding for finding in found.techniques if finding.kind == "other"]
    show("To a socket", ("technique", "kind", "there", "the payload was", "note"), [_sender(each) for each in senders])
    show("Facilities", ("name", "there", "note"), [(each.name, _yes(each.is_there), each.note) for each in others])
    show(
        "Network interfaces",
        ("name", "scatter-gather", "checksums", "segmentation"),
        [_interface(each) for each in found.interfaces],
    )
    print(
        "Narrow: the kernel moves it, or takes it where it lies; broad: pieces of user memory in one call. Observed\n"
        "by sending 32 KiB over loopback and changing the source before the receiver reads: `shared` means that the\n"
        "new bytes arrived. A verdict holds for this kernel and file system; it is no promise of theirs."
    )


def _sender(finding: Finding) -> Sequence[str]:
    verdict = "" if finding.verdict is Verdict.UNKNOWN else finding.verdict.value
    return finding.name, finding.kind, _yes(finding.is_there), verdict, finding.note


def _interface(interface: Interface) -> Sequence[str]:
    flags = (interface.scatter_gather, interface.tx_checksum, interface.segmentation)
    return (interface.name, *("unknown" if flag is None else _yes(flag) for flag in flags))


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
