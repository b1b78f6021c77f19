"""`serve DIR`: the files of a directory over HTTP/1.1, and the bill of every request.

Owns    the run of the server from start to signal, what is printed when, and the totals.
Never   HTTP, or how a file travels.
Always  what goes wrong at the start is one line and no traceback; SIGINT and SIGTERM end it with a summary and exit
        code 0, a second one at once; a reader of the output who goes away does not end it.
"""

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable

from zbuf.audit import process_account
from zbuf.cli._served import peer_name, report_lines, summary_lines
from zbuf.cli._text import CommandError, printable, version_line
from zbuf.protocols.http import DirectoryServer, ServedReport, serve_directory
from zbuf.transport import ChannelOptions

__all__ = ["serve"]

CLOSE_TIMEOUT = 10.0  # seconds for answers under way after a signal; arbitrary
FILE_HIGH_WATER = 1024 * 1024  # as serve_directory
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class OneLine(logging.Formatter):
    """A record in one printable line; the user of a command has no use for a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, and of an exception its class and message."""
        text = f"zbuf: {record.getMessage()}"
        error = record.exc_info[1] if record.exc_info else None
        return printable(text if error is None else f"{text}: {type(error).__name__}: {error}", 1000)


class Output:
    """Standard output, line by line. When its reader has gone away the rest is silence, not an error."""

    def __init__(self) -> None:
        self._is_open = True

    def say(self, lines: Iterable[str]) -> None:
        """Print lines, at once."""
        if not self._is_open:
            return
        try:
            print("\n".join(lines), flush=True)
        except OSError:  # a broken pipe, a full disk: nobody to tell
            self._is_open = False
            # Python flushes once more at its end, and would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Run:
    """One run of the command: what was served so far, and how it is shown."""

    def __init__(self, output: Output, *, quiet: bool) -> None:
        self._output = output
        self._quiet = quiet
        self.requests = 0

    def on_served(self, report: ServedReport) -> None:
        """Count the requests of a report, and print its bill."""
        self.requests += len(report.requests)
        if not self._quiet:
            self._output.say(report_lines(report))


def serve(directory: str, host: str, port: int, *, quiet: bool) -> int:
    """Serve until a signal comes, and return the exit code. Raises: CommandError when it cannot begin."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    return asyncio.run(_serve(directory, host, port, quiet=quiet))


async def _serve(directory: str, host: str, port: int, *, quiet: bool) -> int:
    output = Output()
    run = Run(output, quiet=quiet)
    options = ChannelOptions(close_timeout=CLOSE_TIMEOUT, file_high_water=FILE_HIGH_WATER)
    try:
        server = await serve_directory(directory, host, port, options=options, on_served=run.on_served)
    except OSError as exc:
        raise CommandError(_reason(exc, directory, host, port)) from None
    started = time.monotonic()
    before = process_account().snapshot()
    output.say(_greeting(server, directory))
    await _until_signal(server)
    bill = process_account().snapshot() - before
    seconds = time.monotonic() - started
    output.say(summary_lines(bill, run.requests, server.server.accepted, seconds))
    return 0


async def _until_signal(server: DirectoryServer) -> None:
    """Wait for the first signal, then close gracefully; a second one closes at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            server.abort()
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        await stop.wait()
        await server.close_gracefully()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def _greeting(server: DirectoryServer, directory: str) -> list[str]:
    places = [f"  http://{peer_name(address)}/" for address in server.addresses]
    return [
        f"{version_line()} serves {printable(os.path.abspath(directory))} at",
        *places,
        "Ctrl-C ends it. Below: the bill of every request, self-reported: zbuf's own primitives count what they move.",
    ]


def _reason(exc: OSError, directory: str, host: str, port: int) -> str:
    """Say in one line why the server cannot start. The directory is opened before anything else."""
    name = printable(directory)
    if isinstance(exc, socket.gaierror):
        return f"the host {printable(host)!r} is not known: {exc.strerror}"
    if exc.errno == errno.EADDRINUSE:
        return f"port {port} of {printable(host)} is in use; --port 0 takes a free one"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"{printable(host)} is not an address of this machine"
    if exc.filename is None:
        return f"cannot listen on {printable(host)} port {port}: {exc.strerror or printable(str(exc))}"
    if exc.errno == errno.ENOENT:
        return f"{name}: no such directory"
    if exc.errno == errno.ENOTDIR:
        return f"{name}: not a directory"
    if exc.errno in (errno.EACCES, errno.EPERM):
        return f"{name}: not readable: {exc.strerror}"
    return f"{name}: {exc.strerror}"
