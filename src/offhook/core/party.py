"""Who is on the line."""

from __future__ import annotations

from msgspec import Struct


class Party(Struct, frozen=True, gc=False):
    """One end of the call as SIP names it. An identity claimed by the network, never proven.

    `number` is E.164 with its plus where it could be read so, else the user part as sent;
    `name` is the display name. Both are `None` where the caller withholds them.
    """

    number: str | None = None
    name: str | None = None

    @property
    def anonymous(self) -> bool:
        """Whether the caller withholds the number."""
        return self.number is None


UNKNOWN = Party()
