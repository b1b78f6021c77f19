"""The commands as a user meets them: output, errors in one line, signals, exit codes."""

import os
import re
import signal
import socket
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

import zbuf
from tests.cli._running import OBEYING_MODES, ROOT, SECONDS, environment, finished, serving

VERSION = rf"zbuf {re.escape(zbuf.__version__)} \((compiled|interpreted), \w+ \d+\.\d+\.\d+\S*\)"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with something in it."""
    (tmp_path / "small.txt").write_bytes(b"hello\n" * 10)
    (tmp_path / "large.bin").write_bytes(os.urandom(1 << 20))
    return tmp_path


def ask(port: int, data: bytes) -> bytes:
    """Send bytes, and return what comes until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        found = b""
        while piece := sock.recv(1 << 16):
            found += piece
        return found


def test_version_says_version_form_and_python() -> None:
    """One line on stdout."""
    done = finished("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(VERSION + "\n", done.stdout)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("serve", "--help")])
def test_help_is_printed_and_names_the_command(arguments: tuple[str, ...]) -> None:
    """No argument at all is a question, not an error."""
    done = finished(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout and "zbuf" in done.stdout


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The only line of stderr of a command that could not be done."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


def test_serve_missing_directory_is_one_line(tmp_path: Path) -> None:
    """Exit code 2."""
    assert "no such directory" in one_line(finished("serve", str(tmp_path / "missing")))


def test_serve_file_is_no_directory(site: Path) -> None:
    """Exit code 2."""
    assert "not a directory" in one_line(finished("serve", str(site / "small.txt")))


def test_serve_name_with_control_characters_is_shown_escaped(tmp_path: Path) -> None:
    """Also an argument does not reach the terminal raw."""
    assert "\\x1b[31m" in one_line(finished("serve", str(tmp_path / "\x1b[31mred")))


def test_serve_unreadable_directory_is_one_line(site: Path) -> None:
    """Exit code 2."""
    site.chmod(0)
    try:
        done = finished("serve", str(site), wrapper=OBEYING_MODES)
    finally:
        site.chmod(0o755)
    assert "not readable" in one_line(done)


def test_serve_port_in_use_is_one_line(site: Path) -> None:
    """Exit code 2, and the advice that helps."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        line = one_line(finished("serve", str(site), "--port", str(taken.getsockname()[1])))
    assert "in use" in line and "--port 0" in line


@pytest.mark.parametrize(
    ("host", "words"), [("192.0.2.1", "not an address of this machine"), ("no such host", "not known")]
)
def test_serve_host_that_is_not_ours_is_one_line(site: Path, host: str, words: str) -> None:
    """Exit code 2."""
    assert words in one_line(finished("serve", str(site), "--host", host, "--port", "0"))


@pytest.mark.parametrize("port", ["-1", "65536", "http", "1_0", "\u0661", ""])
def test_serve_port_that_is_no_port_is_an_error(site: Path, port: str) -> None:
    """argparse says so, with exit code 2."""
    done = finished("serve", str(site), f"--port={port}")
    assert done.returncode == 2
    assert "a port is a number from 0 to 65535" in done.stderr


def test_serve_without_httptools_names_the_extra(site: Path, tmp_path: Path) -> None:
    """One line; and --version works all the same."""
    blocker = tmp_path / "block"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(
        textwrap.dedent(
            """
            import sys

            class Block:
                def find_spec(self, name, path=None, target=None):
                    if name == "httptools":
                        raise ModuleNotFoundError("No module named 'httptools'", name=name)

            sys.meta_path.insert(0, Block())
            """
        )
    )
    without = environment() | {"PYTHONPATH": f"{blocker}{os.pathsep}{ROOT}"}
    assert "zbuf[http]" in one_line(finished("serve", str(site), env=without))
    assert finished("--version", env=without).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_the_bill_of_each_request_and_a_summary(site: Path, number: int) -> None:
    """What a newcomer sees; a signal ends it with exit code 0."""
    with serving(site) as running:
        head = b"GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        large = ask(running.port, head % b"large.bin")
        assert large.endswith((site / "large.bin").read_bytes())
        running.wait_for("system calls", 1)
        small = ask(running.port, head % b"small.txt")
        running.wait_for("system calls", 2)
        code, lines, errors = running.stop(number)
    assert (code, errors) == (0, "")
    assert re.fullmatch(VERSION + f" serves {re.escape(str(site))} at", lines[0])
    assert re.fullmatch(rf"127\.0\.0\.1:\d+ GET /large\.bin 200  {len(large):,} bytes on the wire", lines[3])
    assert "copied in user space: 0 bytes for the body; " in lines[4]
    assert re.search(r"sendfile \d+ \(1,048,576 bytes\)", lines[5])
    assert f"GET /small.txt 200  {len(small):,} bytes on the wire" in lines[6]
    assert "60 bytes (file_read 60) for the body; " in lines[7]
    assert all("[self-reported]" in line for line in lines[3:] if "copied" in line or "calls" in line)
    assert lines[9].startswith("served 2 requests on 2 connections in ")
    assert f"bytes on the wire: {len(large) + len(small):,} out, " in lines[10]
    assert "60 bytes (file_read 60) reading files" in lines[11]


def test_serve_unreadable_file_is_forbidden(site: Path) -> None:
    """403 for a file of the tree that may not be read; the server goes on."""
    (site / "small.txt").chmod(0)
    request = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"
    with serving(site, wrapper=OBEYING_MODES) as running:
        assert ask(running.port, request % b"small.txt").startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert ask(running.port, request % b"large.bin").startswith(b"HTTP/1.1 200 OK\r\n")
        assert running.stop()[0] == 0


def test_serve_quiet_prints_the_summary_only(site: Path) -> None:
    """`--quiet` counts all the same."""
    with serving(site, "--quiet") as running:
        ask(running.port, b"GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
        code, lines, errors = running.stop()
    assert (code, errors) == (0, "")
    assert lines[3].startswith("served 3 requests on 1 connection in ")


def test_serve_hostile_bytes_never_reach_the_terminal(site: Path) -> None:
    """Escape sequences in targets, methods and garbage come out as text, or not at all."""
    attacks = [
        b"GET /\x1b[2J HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x1b]0;owned\x07 / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /%1b[2J%0d%0aFAKE HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\xe2\x80\xae HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \x9b31m\r\n\r\n",
    ]
    with serving(site) as running:
        for attack in attacks:
            ask(running.port, attack)
        code, lines, errors = running.stop()
    assert (code, errors) == (0, "")
    assert sum("(no HTTP request) 400" in line for line in lines) >= 3
    assert all(" " <= character <= "~" for line in lines for character in line)


def test_serve_signal_lets_an_answer_under_way_go_out(site: Path) -> None:
    """A client that is being served when the signal comes gets its file to the end."""
    data = os.urandom(24 << 20)
    (site / "huge.bin").write_bytes(data)
    with serving(site) as running, socket.create_connection(("127.0.0.1", running.port), timeout=SECONDS) as sock:
        sock.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        found = sock.recv(1 << 16)
        running.send(signal.SIGTERM)
        time.sleep(0.2)
        while piece := sock.recv(1 << 20):
            found += piece
        code, lines, errors = running.ended()
    assert found.endswith(data)
    assert (code, errors) == (0, "")
    assert any(line.startswith("served 1 request on 1 connection") for line in lines)


def test_serve_second_signal_ends_at_once(site: Path) -> None:
    """Somebody who does not want to wait for a stuck client need not."""
    (site / "huge.bin").write_bytes(bytes(24 << 20))
    with serving(site) as running, socket.create_connection(("127.0.0.1", running.port), timeout=SECONDS) as sock:
        sock.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        sock.recv(1000)
        running.send(signal.SIGINT)
        time.sleep(0.3)
        assert running.process.poll() is None
        code, lines, errors = running.stop()
    assert (code, errors) == (0, "")
    assert any("not finished" in line for line in lines)
    assert any(line.startswith("served 1 request") for line in lines)


def test_serve_reader_of_the_output_that_goes_away_does_not_end_it(site: Path) -> None:
    """`serve | head -1` goes on serving, in silence."""
    with serving(site) as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        for _ in range(3):
            assert ask(running.port, b"GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n").endswith(b"hello\n")
        running.send(signal.SIGTERM)
        assert running.process.stderr is not None
        assert running.process.stderr.read() == b""
        assert running.process.wait(SECONDS) == 0
