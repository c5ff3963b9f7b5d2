"""glibc's malloc set for tensors: as installed it maps and unmaps every large temporary, a page fault a page."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # of mallopt(3), from <malloc.h>
LARGEST = 2**31 - 1
HEAD_ROOM = 64 * 2**20


def tune() -> bool:
    """Keep freed memory in the process instead of giving it back to the system; whether that was possible.

    For the rest of the process: no block is mapped on its own, the heap is never trimmed and grows in steps of 64 MiB.
    Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version") or not hasattr(library, "mallopt"):
        return False
    settings = ((MMAP_MAX, 0), (TRIM_THRESHOLD, LARGEST), (TOP_PAD, HEAD_ROOM))
    return all([library.mallopt(name, value) == 1 for name, value in settings])
