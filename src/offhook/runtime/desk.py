"""What writing calls down needs, whichever call it is."""

from __future__ import annotations

from msgspec import Struct

from offhook.store.policy import Policy
from offhook.store.prices import Tariff
from offhook.store.vault import Vault
from offhook.store.writer import Writer


class Desk(Struct, frozen=True, kw_only=True):
    """What the scribes of all calls of a process share."""

    writer: Writer
    policy: Policy
    vault: Vault
    provider: str
    model: str
    replica: str
    tariff: Tariff
