"""The ledger of function calls: each one that the model asks for is answered exactly once."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from offhook.core.outcomes import Outcome


class ToolCall(Struct, frozen=True, omit_defaults=True):
    """One function call. `ref` is the cloud's id of it; `outcome` is `None` while it runs.

    `arguments` is the JSON text that the model sent; `spoke` tells whether the same response
    also spoke to the caller, as a preamble does, and `response` is its id; `started`: it has
    effects, and they may have begun; `taken`: the cloud has shown that it has our output;
    `took`: for how many seconds the tool itself ran, where known.
    """

    ref: str
    name: str
    asked_at: float
    spoke: bool = False
    ended_at: float | None = None
    outcome: Outcome | None = None
    arguments: str = ""
    started: bool = False
    taken: bool = False
    response: str = ""
    took: float | None = None

    @property
    def running(self) -> bool:
        """Whether it is still owed an answer."""
        return self.outcome is None

    @property
    def began_at(self) -> float:
        """When the tool itself began to run: a little after it was asked for."""
        if self.took is None or self.ended_at is None:
            return self.asked_at
        return self.ended_at - self.took

    @property
    def result(self) -> str:
        """How it ended, in one word for records: `answered`, `timed_out`, ..."""
        if self.outcome is None:
            return "running"
        name = type(self.outcome).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Ledger(Struct, frozen=True):
    """All function calls of a call, by their id, in the order in which they were asked."""

    calls: dict[str, ToolCall] = {}

    def __contains__(self, ref: str) -> bool:
        return ref in self.calls

    def asked(
        self,
        ref: str,
        name: str,
        now: float,
        arguments: str = "",
        *,
        spoke: bool = False,
        response: str = "",
    ) -> Ledger:
        """Note a new function call."""
        new = ToolCall(ref, name, now, spoke, arguments=arguments, response=response)
        return Ledger({**self.calls, ref: new})

    def started(self, ref: str) -> Ledger:
        """Note that the effects of a function call may begin."""
        return self._change(ref, started=True)

    def taken(self, ref: str) -> Ledger:
        """Note that the cloud has the output."""
        return self._change(ref, taken=True)

    def _change(self, ref: str, **changes: object) -> Ledger:
        call = self.calls.get(ref)
        return self if call is None else Ledger({**self.calls, ref: replace(call, **changes)})

    def ended(self, ref: str, outcome: Outcome, now: float, took: float | None = None) -> Ledger:
        """Note the one outcome of a function call."""
        return self._change(ref, outcome=outcome, ended_at=now, took=took)

    def running(self, ref: str) -> ToolCall | None:
        """The function call if it is still owed an answer."""
        call = self.calls.get(ref)
        return call if call is not None and call.running else None

    @property
    def owed(self) -> tuple[ToolCall, ...]:
        """The function calls that have no outcome yet."""
        return tuple(c for c in self.calls.values() if c.running)
