"""What Zstandard and LZ4 have in common: a magic number in front, and skippable frames.

Owns    the magic numbers, the head that is gathered until it can be judged, the bytes of a skippable frame.
Never   a block.
Always  the payload of a skippable frame is passed over as it comes, none of it is kept.
"""

from __future__ import annotations

from zbuf._types import Buffer
from zbuf.errors import CorruptedFrameError

SKIPPABLE = 0x184D2A50  # the lowest of sixteen: RFC 8878, 3.1.2; LZ4 frame format, "Skippable Frames"
SIXTEEN = 0xFFFFFFF0
MAGIC_SIZE = 4
SKIPPABLE_HEAD = 8  # the magic number and the size of what follows


class FrameEngine:
    """Gathers the head of one frame and passes skippable ones over; a subclass does the rest."""

    magic: int
    name: str

    def __init__(self) -> None:
        self.eof = False
        self._head = bytearray()
        self._want = MAGIC_SIZE  # the size of the head as far as it is known
        self._skip = -1  # what is left of a skippable frame

    def pull(self, data: Buffer, most: int) -> tuple[bytes, int, bool]:
        """Take the bytes of the head or of a skippable frame here, and give the others to `_body`."""
        view = memoryview(data)
        if self._skip >= 0:
            taken = min(self._skip, len(view))
            self._skip -= taken
            self.eof = self._skip == 0
            return b"", taken, False
        if not self._want:
            return self._body(view, most)
        taken = min(self._want - len(self._head), len(view))
        self._head += view[:taken]
        if len(self._head) == self._want:
            self._judge()
        return b"", taken, False

    def _judge(self) -> None:
        """Look at the head gathered so far: say how much more of it is needed, or begin."""
        magic = int.from_bytes(self._head[:MAGIC_SIZE], "little")
        if magic & SIXTEEN == SKIPPABLE:
            if self._want < SKIPPABLE_HEAD:
                self._want = SKIPPABLE_HEAD
            else:
                self._skip = int.from_bytes(self._head[MAGIC_SIZE:], "little")
                self.eof = self._skip == 0
        elif magic != self.magic:
            raise CorruptedFrameError(f"this is no {self.name} frame: its magic number is 0x{magic:08x}")
        else:
            self._want = self._head_size(self._head)
            if len(self._head) == self._want:
                self._want = 0
                self._begin(bytes(self._head))

    def _head_size(self, head: bytearray) -> int:
        """Return the size of the head that begins like this, or of a longer part of it. `head` has the magic number."""
        raise NotImplementedError

    def _begin(self, head: bytes) -> None:
        """Look at the whole head and make ready for what follows it."""
        raise NotImplementedError

    def _body(self, view: memoryview, most: int) -> tuple[bytes, int, bool]:
        """As `Engine.pull`, behind the head."""
        raise NotImplementedError
