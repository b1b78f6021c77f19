"""`compare`: every technique sends the whole file, and the table says only what was counted.

Owns    the command, its techniques, its receiver, its drawing.
Never   a claim about speed.
Always  the receiver counts the bytes; a technique that loses one fails."""

from __future__ import annotations

import errno
import json
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from zbuf.audit import Verdict
from zbuf.cli import _compare, _techniques, main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the techniques are those of Linux")
SIZE = 2_500_003


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the probe keeps is kept here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of an odd size."""
    found = tmp_path / "payload"
    found.write_bytes(os.urandom(SIZE))
    return found


@pytest.mark.parametrize("receiver", ["copy", "discard"])
def test_compare_every_technique_delivers_every_byte(
    path: Path, receiver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rounds; each row has its figures; affinity is as before."""
    before = os.sched_getaffinity(0)
    assert main(["compare", str(path), "--rounds", "2", "--receiver", receiver, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["size"], record["receiver"], record["rounds"]) == (SIZE, receiver, 2)
    rows = {row["name"]: row for row in record["results"]}
    assert list(rows) == [technique.name for technique in _techniques.TECHNIQUES]
    assert all(row["gb_per_second"] > 0 and row["cpu_per_gb"] >= 0 for row in rows.values())
    assert rows["read + send"]["kernel_copies"] == 2 and rows["mmap + send"]["kernel_copies"] == 1
    assert rows["zbuf"]["user_copies"] == 0 and rows["zbuf"]["calls"] >= 1
    assert rows["read + send"]["calls"] >= 2 * (SIZE // 65536)
    assert rows["asyncio write"]["user_copies"] is None and rows["asyncio write"]["calls"] is None
    assert rows["MSG_ZEROCOPY"]["note"].endswith("% copied")
    assert os.sched_getaffinity(0) == before


def test_compare_prints_a_table_and_draws_it(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Chosen techniques only; the drawing is XML with their names."""
    drawn = tmp_path / "out.svg"
    only = ["--only", "sendfile", "--only", "read + send"]
    assert main(["compare", str(path), "--rounds", "1", "--plot", str(drawn), *only]) == 0
    text = capsys.readouterr().out
    assert "times less CPU than read + send" in text and "splice" not in text
    assert f"{SIZE:,} bytes" in text
    shapes = ET.parse(drawn).getroot()
    assert {"read + send", "sendfile"} <= {element.text for element in shapes.iter() if element.text}


def test_compare_without_rich(path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the table nor the progress needs it."""
    for name in ("rich", "rich.console", "rich.progress", "rich.table"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["compare", str(path), "--rounds", "1", "--only", "sendfile"]) == 0
    assert "sendfile" in capsys.readouterr().out


def test_compare_names_what_is_missing_and_goes_on(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel without splice: its row is replaced by the reason."""

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "splice", refuse)
    assert main(["compare", str(path), "--rounds", "2", "--only", "splice", "--only", "sendfile"]) == 0
    out = capsys.readouterr().out
    assert "splice: could not be measured" in out and "Function not implemented" in out


def test_compare_a_technique_that_loses_bytes_fails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver's count is checked."""
    real = os.sendfile
    monkeypatch.setattr(os, "sendfile", lambda out, file, at, n: real(out, file, at, min(n, 1000)) and n)
    row = _compare.Row(next(technique for technique in _techniques.TECHNIQUES if technique.name == "sendfile"))
    with _compare._receiving("copy") as port:
        _compare._measure(row, str(path), port)
    assert "bytes arrived" in row.failure and not row.seconds


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["/nonexistent"], "No such file"),
        (["/"], "Is a directory"),
        (["/dev/null"], "not a regular file"),
        (["{empty}"], "the file is empty"),
        (["{path}", "--only", "teleport"], "no technique 'teleport'"),
        (["{path}", "--plot", "/nonexistent/out.svg"], "its directory does not exist"),
    ],
)
def test_compare_bad_arguments_are_one_line(
    path: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what is wrong."""
    empty = path.with_name("empty")
    empty.touch()
    assert main(["compare", *(word.format(path=path, empty=empty) for word in arguments)]) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1


@pytest.mark.parametrize("rounds", ["0", "-1", "x", "1001"])
def test_compare_bad_numbers_are_refused(path: Path, rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser."""
    with pytest.raises(SystemExit):
        main(["compare", str(path), "--rounds", rounds])
    assert "from 1 to 1000" in capsys.readouterr().err


def test_compare_kernel_copies_follow_the_probe() -> None:
    """Shared: none beyond reading; copied: one; unknown stays unknown."""
    read, sendfile = _techniques.TECHNIQUES[0], _techniques.TECHNIQUES[3]
    assert _techniques.kernel_copies(read, Verdict.COPIED) == 2
    assert _techniques.kernel_copies(sendfile, Verdict.SHARED) == 0
    assert _techniques.kernel_copies(sendfile, Verdict.COPIED) == 1
    assert _techniques.kernel_copies(sendfile, Verdict.UNKNOWN) is None
