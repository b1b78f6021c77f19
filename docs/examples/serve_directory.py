"""Serve a directory from a program of your own, and keep an eye on what was copied for bodies."""

import asyncio
import contextlib
import sys

from zbuf.protocols.http import ServedReport, serve_directory


def on_served(report: ServedReport) -> None:
    copied = sum(report.body_copies.values())
    for served in report.requests:
        print(served.status, served.target, f"{served.body_bytes:,} bytes, {copied:,} copied", flush=True)


async def main(root: str, port: int) -> None:
    async with await serve_directory(root, "127.0.0.1", port, on_served=on_served) as server:
        print("serving on port", server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], int(sys.argv[2])))
