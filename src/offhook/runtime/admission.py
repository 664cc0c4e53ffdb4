"""Who may come in: rules that are asked, in order, before a call is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from offhook.core.end import Refused
from offhook.core.party import Party


class Ring(Struct, frozen=True):
    """A call that has just rung: who calls whom, as the network claims."""

    call_id: str
    caller: Party
    called: str | None = None


class Rule(Protocol):
    """One reason to refuse a call. It answers at once, so it looks at what is known already."""

    def check(self, ring: Ring) -> Refused | None:
        """Why this call is refused, `None` if it is not."""


class Admission:
    """The rules, in the order in which they are asked; the first to refuse decides."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)

    def check(self, ring: Ring) -> Refused | None:
        """Why this call is refused, `None` if it may come in."""
        for rule in self.rules:
            if (refused := rule.check(ring)) is not None:
                return refused
        return None
