"""What a probe has found: records, and their form as JSON.

Owns    the records and both conversions.
Never   how anything was found.
Always  what was written is read back equal; a file of another version is no findings at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from zbuf.audit import Verdict

__all__ = ["Finding", "Findings", "Interface"]

VERSION = 1  # of the JSON; another one is not read


@dataclass(frozen=True, slots=True)
class Finding:
    """One technique. `is_there`: the call works here; `verdict`: whether the kernel copied what it was given; `note`:
    why not, or what else was seen. `kind`: "narrow", "broad", or "other" for what moves no payload to a socket."""

    name: str
    kind: str
    is_there: bool
    verdict: Verdict = Verdict.UNKNOWN
    note: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """What a network interface can do by itself; None: it could not be asked."""

    name: str
    scatter_gather: bool | None = None
    tx_checksum: bool | None = None
    segmentation: bool | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All of them, and what they hold for."""

    kernel: str
    machine: str
    directory: str
    file_system: str
    techniques: tuple[Finding, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    is_cached: bool = field(default=False, compare=False)

    def __getitem__(self, name: str) -> Finding:
        """Return the finding of this name. Raises: KeyError."""
        for finding in self.techniques:
            if finding.name == name:
                return finding
        raise KeyError(name)

    def to_json(self) -> str:
        """Return the findings as JSON."""
        record: dict[str, Any] = {"version": VERSION, **asdict(self)}
        del record["is_cached"]
        for technique in record["techniques"]:
            technique["verdict"] = technique["verdict"].value
        return json.dumps(record, indent=2)

    @staticmethod
    def from_json(text: str) -> Findings:
        """Return the findings that `to_json` wrote. Raises: ValueError for anything else."""
        try:
            record = json.loads(text)
            if record.pop("version") != VERSION:
                raise ValueError("findings of another version")
            techniques = tuple(
                Finding(**{**technique, "verdict": Verdict(technique["verdict"])})
                for technique in record.pop("techniques")
            )
            interfaces = tuple(Interface(**interface) for interface in record.pop("interfaces"))
            return Findings(**record, techniques=techniques, interfaces=interfaces)
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"no findings: {exc}") from None
