"""Floor 4: bytes that stay in the kernel. A region names bytes of a file; it has a count, never bytes of its own.

`FileRegion` is what is queued and sent; `MappedFile` shows a file as memory; `copy_file` copies one to another in the
kernel; `open_beneath` opens a file below a directory and nothing outside it.
"""

from zbuf.region._copy_file import copy_file
from zbuf.region._descriptor import HasFileno
from zbuf.region._file_region import FileRegion
from zbuf.region._mapped_file import MappedFile, map_file
from zbuf.region._open import open_beneath

__all__ = ["FileRegion", "HasFileno", "MappedFile", "copy_file", "map_file", "open_beneath"]
