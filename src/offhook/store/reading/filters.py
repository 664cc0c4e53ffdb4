"""What a list of calls may be narrowed by, as a value."""

from __future__ import annotations

from msgspec import Struct


class Filter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls for which everything that is set holds.

    `since` is included, `until` is not; both are Unix milliseconds of the ring. `number_hashes` are
    `Vault.hashes` of the caller's number. `live` is about the call now: not ended, or ended.
    `text` are words of the transcript, any order, any speaker; the last may be a beginning.
    """

    since: int | None = None
    until: int | None = None
    number_hashes: tuple[str, ...] = ()
    reason: str | None = None
    fault: str | None = None
    line: str | None = None
    model: str | None = None
    bot: str | None = None
    target: str | None = None
    live: bool | None = None
    min_length_ms: int | None = None
    min_cost_usd: float | None = None
    text: str | None = None


EVERYTHING = Filter()
