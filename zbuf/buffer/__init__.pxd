# What codecs that their authors compile may cimport: `from zbuf.buffer cimport ByteBuf`.

from zbuf.buffer._bytebuf cimport ByteBuf, SlicedByteBuf
from zbuf.buffer._composite cimport CompositeByteBuf
