"""Whether there is room for one more call: in this process, on its line, and beside others.

A line may reserve room, which nobody else gets even while it is idle. What is not reserved is
shared, first come, first served; a line first uses up its own reservation.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from offhook.dialplan import Line


class Load(Struct, frozen=True, gc=False):
    """How many calls there are, and how many there may be.

    `here` and `most_here` are of this process; `lines` are the live calls by line and `most` is
    the room for them, of all processes together.
    """

    here: int = 0
    most_here: int = 150
    lines: Mapping[str, int] = {}
    most: int = 150

    def full(self, line: Line, reserved: Mapping[str, int]) -> str | None:
        """Why there is no room for one more call on this line, `None` if there is.

        `reserved` is by line, of all lines.
        """
        if self.here >= self.most_here:
            return f"{self.here} of {self.most_here} calls in this process"
        own = self.lines.get(line.name, 0)
        if line.capacity is not None and own >= line.capacity:
            return f"{own} of {line.capacity} calls on the line"
        if own < reserved.get(line.name, 0):
            return None
        shared = max(self.most - sum(reserved.values()), 0)
        used = sum(max(n - reserved.get(name, 0), 0) for name, n in self.lines.items())
        if used >= shared:
            return f"{used} of {shared} calls in the room that is not reserved"
        return None
