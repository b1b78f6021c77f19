"""The probe: every technique tried, verdicts that match what a kernel says elsewhere, failures that are findings.

Owns    zbuf.probe and the command on it.
Never   a verdict that this kernel must give; what is compared is how a verdict comes about.
Always  no descriptor, file or cache is left behind (the suite's own fixture counts descriptors)."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from zbuf.audit import Verdict
from zbuf.cli import main
from zbuf.probe import Finding, Findings, Interface, _mutation, _others, _run, probe, verdicts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the techniques are those of Linux")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_probe_tries_everything_and_leaves_no_file(tmp_path: Path, own_cache: Path) -> None:
    """Each technique has one finding; the directory is empty afterwards."""
    place = tmp_path / "place"
    place.mkdir()
    found = probe(place)
    assert [finding.name for finding in found.techniques] == [*_mutation.MUTATIONS, *_others.OTHERS]
    assert list(place.iterdir()) == []
    assert found.kernel == os.uname().release and not found.is_cached
    for finding in found.techniques:
        sends = finding.kind != "other"
        assert (finding.verdict is not Verdict.UNKNOWN) == (sends and finding.is_there), finding
        assert finding.is_there or finding.note, "what is missing must say why"
    assert "lo" in [interface.name for interface in found.interfaces]


def test_probe_plain_sends_are_found_copied() -> None:
    """Every kernel copies what sendmsg gives it: it has promised the caller his memory back."""
    assert _mutation.mutation("sendmsg", "/tmp").verdict is Verdict.COPIED
    assert _mutation.mutation("mmap+send", "/tmp").verdict is Verdict.COPIED


def test_probe_verdict_follows_the_bytes_that_arrive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All new: shared. All old: copied. Both: copied, with a note. Too few: not there."""
    old, new, size = _mutation.OLD, _mutation.NEW, _mutation.SIZE
    cases: dict[bytes, tuple[bool, Verdict]] = {
        new: (True, Verdict.SHARED),
        old: (True, Verdict.COPIED),
        new[:100] + old[100:]: (True, Verdict.COPIED),
        old[:-1]: (False, Verdict.UNKNOWN),
    }
    for arrived, (is_there, verdict) in cases.items():
        monkeypatch.setattr(_mutation, "_received", lambda peer, arrived=arrived: arrived)
        finding = _mutation.mutation("sendmsg", str(tmp_path))
        assert (finding.is_there, finding.verdict) == (is_there, verdict)
        assert bool(finding.note) == (arrived not in (old, new))
    assert size == len(old)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, errno.EINVAL])
def test_probe_a_refused_call_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int) -> None:
    """Seccomp, another kernel, another file system: the reason is in the note, nothing is raised."""

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(number, os.strerror(number))

    for name in ("sendfile", "splice", "copy_file_range"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(_mutation, "vmsplice", refuse)
    monkeypatch.setattr(_others, "tee", refuse)
    for name in ("sendfile", "splice", "vmsplice"):
        assert _mutation.mutation(name, str(tmp_path)) == Finding(name, "narrow", False, note=os.strerror(number))
    for name in ("copy_file_range", "tee"):
        assert _others.other(name, str(tmp_path)) == Finding(name, "other", False, note=os.strerror(number))


def test_probe_a_name_that_python_lacks_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """os.splice is missing on some systems."""
    monkeypatch.delattr(os, "splice")
    assert not _mutation.mutation("splice", str(tmp_path)).is_there


def test_probe_is_cached_per_kernel_and_file_system(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    """The second run tries nothing; another release, another version of the record or `fresh` does."""
    first = probe()
    (kept,) = (own_cache / "zbuf").iterdir()
    monkeypatch.setattr(_run, "mutation", lambda name, where: Finding(name, "broad", False, note="tried again"))
    again = probe()
    assert again.is_cached and again == first
    assert probe(fresh=True)["sendfile"].note == "tried again"
    for text in ("", "{}", json.dumps({"version": 2}), "[1]", first.to_json().replace(first.kernel, "1.0")):
        kept.write_text(text)
        assert probe()["sendfile"].note == "tried again"
    kept.unlink()
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert not probe().is_cached


def test_probe_findings_survive_json() -> None:
    """What is written is read back equal."""
    found = probe()
    assert Findings.from_json(found.to_json()) == found
    with pytest.raises(KeyError):
        found["teleport"]


def test_probe_verdicts_are_by_system_call() -> None:
    """As `Bill.kernel_copied` has them."""
    by_call = verdicts(probe())
    assert by_call["send"] is by_call["sendmsg"] is Verdict.COPIED and set(by_call) >= {"sendfile", "splice"}


def test_probe_interface_that_cannot_be_asked_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ethtool there: None, not False."""

    def refuse(*_: Any) -> int:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(_others.fcntl, "ioctl", refuse)
    assert Interface("lo") in _others.interfaces()


def test_probe_names_the_file_system() -> None:
    """The longest mount point that holds the directory."""
    assert _run.file_system_of("/proc/self") == "proc"
    assert _run.file_system_of("/") != "unknown"


def test_probe_command_prints_tables_and_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Both forms name every technique; JSON is what it says it is."""
    assert main(["probe", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in _mutation.MUTATIONS)
    assert "narrow" in text and "scatter-gather" in text
    assert main(["probe", str(tmp_path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {technique["name"] for technique in record["techniques"]} == {*_mutation.MUTATIONS, *_others.OTHERS}


def test_probe_command_without_rich_prints_plain_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table needs no package."""
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["probe"]) == 0
    assert "technique " in capsys.readouterr().out


def test_probe_command_names_a_directory_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    assert main(["probe", "/nonexistent"]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("zbuf probe: /nonexistent: ") and complaint.count("\n") == 1
