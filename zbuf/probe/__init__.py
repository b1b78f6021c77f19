"""Probe: what this kernel, file system and interface really do, found out by trying.

Owns    the trials of every technique, the mutation probe, and the cache of what was found.
Never   a channel's choice: the transport falls back by what its own calls answer, whether anybody probed or not.
Always  a verdict is an observation on this machine, for this kernel release and file system, not a promise; what could
        not be tried is unknown, never guessed.
"""

from zbuf.probe._findings import Finding, Findings, Interface
from zbuf.probe._run import probe, verdicts

__all__ = ["Finding", "Findings", "Interface", "probe", "verdicts"]
