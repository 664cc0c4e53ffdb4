"""What lists and figures may be narrowed by, as parameters of an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from offhook.store.reading import Filter

Time: TypeAlias = Annotated[datetime, Meta(tz=True, examples=["2026-11-01T00:00:00Z"])]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
Plain: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["acme"])
]
Cursor: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=400,
        pattern=r"^[A-Za-z0-9._=-]*$",
        description="`next` of the page before.",
        examples=["WzE3OTg3NjE2MDAwMDAsInJ0Y18xIl0"],
    ),
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Narrowed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls that rang from `since` on and before `until`, of which all else holds."""

    since: Time | None = None
    until: Time | None = None
    reason: Plain | None = None
    fault: Plain | None = None
    line: Plain | None = None
    model: Plain | None = None
    bot: Plain | None = None
    target: Plain | None = None

    @property
    def filter(self) -> Filter:
        """The same for the store."""
        return Filter(
            since=milliseconds(self.since),
            until=milliseconds(self.until),
            reason=self.reason,
            fault=self.fault,
            line=self.line,
            model=self.model,
            bot=self.bot,
            target=self.target,
        )


def milliseconds(time: datetime | None) -> int | None:
    """Unix milliseconds."""
    return None if time is None else (time - _EPOCH) // timedelta(milliseconds=1)
