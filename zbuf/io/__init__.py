"""Between buffers and what Python reads and writes with: sockets, descriptors, file objects.

`send_from`, `recv_into`, `write_fd` and `read_fd` are one system call each over the pieces of a buffer, for programs
that run their own loop. `ByteBufReader` and `ByteBufWriter` are file objects over a buffer, for whatever wants one:
pickle, json, csv, zipfile, gzip, tarfile. The other way round, a file object as source or sink of a buffer, is
`ByteBuf.write_from` and `ByteBuf.read_to`.
"""

from zbuf.io._descriptors import read_fd, write_fd
from zbuf.io._reader import ByteBufReader
from zbuf.io._sockets import recv_into, send_from
from zbuf.io._writer import ByteBufWriter

__all__ = ["ByteBufReader", "ByteBufWriter", "read_fd", "recv_into", "send_from", "write_fd"]
