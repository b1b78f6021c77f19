"""A small tokenizer: commands in lines, from pieces that are cut anywhere, with a search that is resumed."""

from collections.abc import Iterator

import zbuf
from zbuf.audit import process_account
from zbuf.buffer import CRLF, LINEAR_WHITESPACE, SPACE

PIECES = [b"SET color\r", b"\nSET  size 12", b"\r\nGET color\r\n\r\nQU", b"IT\r\n"]


class Lines:
    """Cuts a stream into lines; each byte is searched once, however small the pieces are."""

    def __init__(self) -> None:
        self.buf = zbuf.composite()

    def feed(self, piece: bytes) -> Iterator[tuple[int, int]]:
        """Take a piece, and yield where each line lies that is complete now."""
        start = max(self.buf.reader_index, self.buf.writer_index - len(CRLF) + 1)
        self.buf.append(piece)
        while (end := self.buf.find(CRLF, start)) >= 0:
            yield self.buf.reader_index, end
            start = self.buf.reader_index = end + len(CRLF)
        self.buf.discard_read_components()


def words(buf: zbuf.ByteBuf, start: int, end: int) -> list[str]:
    """The words of a line: pieces between spaces, empty ones left out."""
    start = buf.find_not(LINEAR_WHITESPACE, start, end)
    if start < 0:
        return []
    pieces = buf.split_indices(SPACE, start, end, max_pieces=100)
    return [buf.get_string(first, last - first) for first, last in pieces if first < last]


before = process_account().snapshot()
lines = Lines()
for piece in PIECES:
    for start, end in lines.feed(piece):
        print(f"{start:2} to {end:2}", words(lines.buf, start, end))
for reason, count in (process_account().snapshot() - before).user.items():
    print("copied:", count.nbytes, "bytes,", reason.name.lower())
