"""Keys that the caller presses, collected into entries.

`#` ends an entry, `*` starts it again, a pause ends it too, and a length cap keeps a stuck key
from growing it for ever. Digits may be a PIN: nothing here or above logs them.
"""

from __future__ import annotations

from msgspec import Struct


class Digits(Struct, frozen=True, gc=False):
    """What has been typed since the last entry was complete."""

    typed: str = ""

    def press(self, key: str, longest: int) -> tuple[Digits, str | None]:
        """Take one key (`0`-`9`, `A`-`D`, `*`, `#`).

        Returns the new state and the entry that this key completed, if any. An entry is never
        empty: a lone `#` completes nothing.
        """
        match key:
            case "*":
                return Digits(), None
            case "#":
                return Digits(), self.typed or None
            case _:
                typed = self.typed + key
                return (Digits(), typed) if len(typed) >= longest else (Digits(typed), None)
