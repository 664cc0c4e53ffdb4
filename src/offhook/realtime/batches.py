"""Function calls of one response, answered together.

All calls of a response are answered, each exactly once, and only then the model goes on, once.
An output stays here until the cloud shows that it has it, so that one lost with a sideband is
sent again.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class Batch(Struct, frozen=True):
    """The calls of one response. `owed` are those without an output yet."""

    refs: tuple[str, ...]
    owed: frozenset[str]
    reply: bool = False  # whether at least one output wants to be spoken about


class Batches(Struct, frozen=True):
    """All function calls of a conversation, by the response that asked for them."""

    known: frozenset[str] = frozenset()
    open: tuple[Batch, ...] = ()
    unacknowledged: dict[str, str] = {}  # ref -> output, in the order of sending

    def asked(self, refs: tuple[str, ...]) -> Batches:
        """A response asks for these; those known already are not asked anew."""
        new = tuple(r for r in refs if r not in self.known)
        if not new:
            return self
        return replace(
            self,
            known=self.known.union(new),
            open=(*self.open, Batch(new, frozenset(new))),
        )

    def answered(self, ref: str, output: str, *, reply: bool) -> tuple[Batches, Batch | None]:
        """One output. Returns its batch if that was the last one owed in it."""
        batch = next((b for b in self.open if ref in b.owed), None)
        if batch is None:
            return self, None
        ended = Batch(batch.refs, batch.owed - {ref}, batch.reply or reply)
        batches = tuple(
            ended if b is batch else b for b in self.open if b is not batch or ended.owed
        )
        state = replace(self, open=batches, unacknowledged={**self.unacknowledged, ref: output})
        return state, None if ended.owed else ended

    def acknowledged(self, ref: str | None) -> Batches:
        """The cloud has the output."""
        if ref not in self.unacknowledged:
            return self
        rest = {r: o for r, o in self.unacknowledged.items() if r != ref}
        return replace(self, unacknowledged=rest)
