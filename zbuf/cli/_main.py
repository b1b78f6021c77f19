"""Arguments of the commands.

Owns    the parser, and how a command's failure reaches the user: one line on stderr, exit code 2.
Never   what a command does.
Always  a command is loaded only when it is asked for: `--version` needs neither httptools nor an event loop.
"""

import argparse
import sys
from collections.abc import Sequence

from zbuf.cli._text import CommandError, version_line

__all__ = ["main"]

EPILOG = "The figures that a command prints are self-reported by zbuf, unless they are labelled otherwise."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: it went well; 2: it could not be done, and stderr says why; 130: interrupted where there was nothing to say.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        print(version_line())
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    try:
        return COMMANDS[options.command](options)
    except CommandError as exc:
        print(f"zbuf {options.command}: {exc}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # Ctrl-C before the server listened, or again while its loop was being closed
        return 130


def _serve(options: argparse.Namespace) -> int:
    try:
        from zbuf.cli._serve import serve
    except ModuleNotFoundError as missing:
        if missing.name != "httptools":
            raise
        how = "it comes with the extra: python -m pip install 'zbuf[http]'"
        raise CommandError(f"httptools is missing; {how}") from None
    return serve(options.directory, options.host, options.port, quiet=options.quiet)


def _probe(options: argparse.Namespace) -> int:
    from zbuf.cli._probe import run

    return run(options.directory, as_json=options.json, fresh=options.fresh)


def _compare(options: argparse.Namespace) -> int:
    from zbuf.cli._compare import compare

    return compare(
        options.file,
        receiver=options.receiver,
        rounds=options.rounds,
        only=options.only,
        plot_to=options.plot,
        as_json=options.json,
    )


COMMANDS = {"serve": _serve, "probe": _probe, "compare": _compare}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zbuf",
        description="Buffers for network protocols, and a bill for every copy.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print version, form and Python")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    serve = commands.add_parser(
        "serve",
        help="serve the files of a directory over HTTP/1.1 and print the bill of every request",
        description="Serve the files of DIR over HTTP/1.1, with sendfile, and print for every request what was copied "
        "in user space, and why, and which system calls moved the rest. Ctrl-C ends it with a summary.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    serve.add_argument("directory", metavar="DIR", help="the directory; nothing outside it can be reached")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument(
        "--port", type=_port, default=8080, help="the port; 0 takes a free one and prints it (default: %(default)s)"
    )
    serve.add_argument("--quiet", action="store_true", help="no line per request, only the summary")
    probe = commands.add_parser(
        "probe",
        help="find out which zero-copy techniques this machine has, and what the kernel does under each",
        description="Try every technique once, with a file in DIR and a connection over loopback, and print which are "
        "there and whether the kernel shared the pages or copied them. The result is kept per kernel release and file "
        "system.",
        allow_abbrev=False,
    )
    probe.add_argument("directory", metavar="DIR", nargs="?", help="where the file lies (default: temporary files)")
    probe.add_argument("--json", action="store_true", help="print JSON instead of tables")
    probe.add_argument("--fresh", action="store_true", help="try again, whatever the cache says")
    compare = commands.add_parser(
        "compare",
        help="send a file of yours over loopback by every technique and print what each cost",
        description="Send FILE over loopback by read and send, mmap, sendfile, splice, vmsplice, MSG_ZEROCOPY, asyncio "
        "and zbuf, and print copies, switches, system calls, CPU and throughput of each. A file of 100 MB and more "
        "gives steady figures.",
        allow_abbrev=False,
    )
    compare.add_argument("file", metavar="FILE", help="a regular file that is not empty")
    compare.add_argument(
        "--receiver",
        choices=("copy", "discard"),
        default="copy",
        help="what becomes of the bytes: into memory, or thrown away in the kernel (default: %(default)s)",
    )
    compare.add_argument("--rounds", type=_count, default=5, help="turns of each technique (default: %(default)s)")
    compare.add_argument("--only", action="append", default=[], metavar="NAME", help="this technique; may be repeated")
    compare.add_argument("--plot", metavar="OUT.svg", help="draw the table, too")
    compare.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1000):
        raise argparse.ArgumentTypeError("a number from 1 to 1000")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
