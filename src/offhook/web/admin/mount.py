"""Puts the API together from the settings, and makes the link for whoever starts the server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from offhook.config import Admin, Settings
from offhook.observe.metrics import Metrics
from offhook.runtime.courier import Courier
from offhook.runtime.switchboard import Switchboard
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.outbox import Outbox
from offhook.store.passes import Kind, Passes
from offhook.store.tokens import Role, Tokens
from offhook.store.vault import Vault
from offhook.web.admin.app import AdminApp, Area
from offhook.web.admin.cookies import Cookies
from offhook.web.admin.desk import Desk
from offhook.web.admin.door import Door
from offhook.web.admin.entrance import ENTER, LINK_S, Entrance
from offhook.web.admin.oidc.login import Client, Login
from offhook.web.admin.oidc.provider import Provider
from offhook.web.admin.oidc.statements import Statements
from offhook.web.admin.origins import Origins

CONSOLE = "link:console"  # who was shown the link where the server was started


class Administration:
    """The API and the sender of webhooks of one process. Enter it while the server runs.

    `area` is what to put among the routes; `queued` is set when a webhook waits to be sent.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        switchboard: Switchboard,
        metrics: Metrics,
        queued: asyncio.Event | None = None,
    ) -> None:
        key = settings.privacy.records_key
        self.desk = Desk(
            database=database,
            vault=Vault(key.get_secret_value() if key else None),
            audit=Audit(database),
            tokens=Tokens(database),
            passes=Passes(database),
            outbox=Outbox(database, settings.webhooks.urls),
            switchboard=switchboard,
            metrics=metrics,
        )
        self.courier = _courier(settings, self.desk.outbox, queued)
        self._provider = Provider(settings.admin.issuer) if settings.admin.issuer else None
        self.area = Area(self._app(settings.admin))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Administration:
        for each in (self._provider, self.courier):
            if each is not None:
                await self._stack.enter_async_context(each)
        if self.courier is not None:
            self.courier.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _app(self, admin: Admin) -> AdminApp:
        statements = login = None
        if self._provider is not None and admin.client_id is not None:
            statements = Statements(self._provider, admin.claim, admin.roles, admin.audience)
            secret = admin.client_secret
            client = Client(admin.client_id, secret.get_secret_value() if secret else None)
            login = Login(self._provider, client, statements, self.desk.passes)
        secure = (admin.public_url or "").startswith("https:")
        cookies = Cookies(secure)
        door = Door(
            self.desk.tokens,
            self.desk.passes,
            cookies,
            self.desk.audit.note,
            machines=statements,
            origins=Origins(admin.trusted_proxies),
        )
        entrance = Entrance(
            self.desk.passes, cookies, door, self.desk.audit.note, admin.public_url, login
        )
        return AdminApp(self.desk, door, entrance, metrics_open=admin.metrics_open, secure=secure)


def _courier(settings: Settings, outbox: Outbox, queued: asyncio.Event | None) -> Courier | None:
    """Who brings the webhooks, if anybody is to be told."""
    secret = settings.webhooks.secret
    if not settings.webhooks.urls or secret is None:
        return None
    private = settings.webhooks.private
    return Courier(outbox, secret.get_secret_value(), private=private, news=queued)


async def invite(passes: Passes, url: str) -> str:
    """A link that lets in whoever opens it first, as an admin, within ten minutes."""
    secret = await passes.issue(Kind.LINK, who=CONSOLE, role=Role.ADMIN, lasts_s=LINK_S)
    return f"{url.rstrip('/')}{ENTER}?token={secret}"
