"""Items whose end we may never have seen: to be asked for once a lost sideband is open again.

A function call is told twice: it is begun, and the end of its response says what became of it.
If the sideband is lost in between, we know its id and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from offhook.realtime.frames import Item, WholeItem

MOST = 16  # of those that nobody ever tells the end of


class Missed(Struct, frozen=True):
    """Ids of items, oldest first: `begun` are function calls, `awaited` is what was asked for.

    `found` is what the cloud has shown so far of what was asked for.
    """

    begun: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    found: tuple[WholeItem, ...] = ()

    def began(self, item: str) -> Missed:
        """The model begins to write a function call."""
        if item in self.begun:
            return self
        return replace(self, begun=(*self.begun, item)[-MOST:])

    def told(self, items: Iterable[Item]) -> Missed:
        """A response has ended: of these we know all."""
        if not self.begun and not self.awaited and not self.found:
            return self
        ids = {item.id for item in items}
        return Missed(
            tuple(i for i in self.begun if i not in ids),
            tuple(i for i in self.awaited if i not in ids),
            tuple(i for i in self.found if i.id not in ids),
        )

    def lost(self) -> Missed:
        """The sideband is gone: what we have not made use of is to be asked for anew."""
        ids = (*(item.id for item in self.found), *self.awaited, *self.begun)
        return Missed(tuple(dict.fromkeys(ids))[-MOST:])

    def asked(self) -> Missed:
        """The cloud is asked for all that was begun."""
        return Missed((), self.begun)

    def untold(self) -> Missed:
        """The cloud does not show what is awaited: it may be asked for another time."""
        return replace(self, begun=(*self.awaited, *self.begun), awaited=())

    def asks(self, item: str) -> Missed:
        """The cloud is asked for this one, too."""
        return replace(self, awaited=(*self.awaited, item))

    def shown(self, item: WholeItem) -> Missed:
        """Here it is."""
        return replace(self.lacks(item.id), found=(*self.found, item))

    def lacks(self, item: str) -> Missed:
        """It is not in the conversation any more."""
        return replace(self, awaited=tuple(i for i in self.awaited if i != item))

    def __contains__(self, item: str) -> bool:
        return item in self.awaited or any(found.id == item for found in self.found)
