"""What the endpoints work with: one value, made when the server is put together."""

from __future__ import annotations

from typing import TypedDict, Unpack

from msgspec import Struct

from offhook.observe.metrics import Metrics
from offhook.runtime.switchboard import Switchboard
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.outbox import Outbox
from offhook.store.passes import Passes
from offhook.store.tokens import Tokens
from offhook.store.vault import Vault
from offhook.web.admin.visitors import Visitor


class What(TypedDict, total=False):
    """What else the audit log is told."""

    subject: str
    reason: str
    detail: str


class Desk(Struct, frozen=True):
    """The records, those who may see them, and the calls that go on."""

    database: Database
    vault: Vault
    audit: Audit
    tokens: Tokens
    passes: Passes
    outbox: Outbox
    switchboard: Switchboard
    metrics: Metrics

    async def note(self, visitor: Visitor, action: str, **about: Unpack[What]) -> None:
        """Write into the audit log what somebody is about to see or do. No personal data."""
        await self.audit.note(visitor.actor, action, address=visitor.address, **about)
