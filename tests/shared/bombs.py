"""
A few bytes of gzip that become megabytes.
"""

import struct
import zlib
from functools import cache


MEGABYTE = 1024**2


@cache
def bomb(megabytes, byte=b"\0"):
    """
    So many megabytes of one byte, a thousandth as long.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # It stands alone, so it can be repeated: compressed in one go, it takes seconds.
    piece = byte * MEGABYTE
    block = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(piece, checksum)
    size = struct.pack("<II", checksum, megabytes * MEGABYTE)

    return b"\x1f\x8b\x08" + bytes(7) + block * megabytes + packer.flush() + size
