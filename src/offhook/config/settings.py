"""All settings as one value: what the rest of offhook is configured by."""

from __future__ import annotations

from typing import get_type_hints

from msgspec import Struct

from offhook.config.admin import Admin, Webhooks
from offhook.config.costs import Costs
from offhook.config.declare import Group
from offhook.config.disclosure import Disclosure
from offhook.config.endpoint import Endpoint
from offhook.config.groups import Cloud, Limits, Logs, Phone, Server, Session, Shop, Turns
from offhook.config.privacy import Privacy
from offhook.config.records import Records
from offhook.config.replicas import Replicas
from offhook.config.watchdogs import Watchdogs


class Settings(Struct, frozen=True, kw_only=True):
    """A configuration that was checked as a whole. Secrets do not show when it is printed.

    `cloud.api_key` and `server.webhook_secrets` are only empty if loaded without `serving`
    (the secrets also in test mode).
    """

    endpoint: Endpoint
    cloud: Cloud
    server: Server
    logs: Logs
    session: Session
    turns: Turns
    limits: Limits
    phone: Phone
    watchdogs: Watchdogs
    disclosure: Disclosure
    records: Records
    privacy: Privacy
    replicas: Replicas
    costs: Costs
    admin: Admin
    webhooks: Webhooks
    shop: Shop


def groups() -> dict[str, type[Group]]:
    """The classes of all groups by their name in `Settings`, in order."""
    hints = get_type_hints(Settings)
    return {name: hint for name, hint in hints.items() if issubclass(hint, Group)}


def auth_headers(settings: Settings) -> dict[str, str]:
    """The header that opens REST and WebSocket alike.

    Never with `OpenAI-Beta: realtime=v1`: that leads to the old service, which knows no calls.
    """
    key = settings.cloud.api_key.get_secret_value()
    match settings.endpoint.provider:
        case "azure":
            return {"api-key": key}
        case "openai":
            return {"Authorization": f"Bearer {key}"}
