"""A lock on an open file that ends with the process, however that ends."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    FAR = 1 << 40  # such a lock is on bytes, and nobody may read those

    def lock(fd: int) -> bool:
        """Whether the file is ours now."""
        try:
            os.lseek(fd, FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(fd: int) -> bool:
        """Whether the file is ours now, and is still in its folder."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return os.fstat(fd).st_nlink > 0
