"""Somebody who asks the API, with the role of a token, or with the cookies of a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
from msgspec import Struct
from yarl import URL

from offhook.store.audit import AuditEntry
from offhook.store.database import Database
from offhook.store.tokens import Role
from offhook.web.admin.desk import Desk
from offhook.web.admin.mount import Administration
from support.serving import Service, serving


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    media: str
    headers: dict[str, str]
    text: str
    body: Any

    @property
    def detail(self) -> str:
        """What a problem says."""
        return str(self.body["detail"])


class Browser:
    """Keeps cookies, and follows no redirect by itself."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        jar = aiohttp.CookieJar(unsafe=True)  # of an IP address, too
        self.url = url
        self.http = aiohttp.ClientSession(headers=headers, cookie_jar=jar)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.http.close()

    async def get(self, path: str, **options: Any) -> Answer:
        """GET a path."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """POST JSON to a path."""
        return await self.ask("POST", path, json=body, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Any request."""
        url = URL(self.url + path, encoded=True)  # exactly as it is written
        async with self.http.request(method, url, allow_redirects=False, **options) as answer:
            text = await answer.text()
            body = await answer.json(content_type=None) if "json" in answer.content_type else None
            return Answer(answer.status, answer.content_type, dict(answer.headers), text, body)


class Office:
    """A server that keeps records, and those who may look into them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        administration: Administration = service.app.state.administration
        self.administration = administration
        self.desk: Desk = administration.desk
        self.url = service.url

    async def token(self, role: Role = Role.ADMIN, name: str = "test") -> str:
        """The secret of a new token."""
        return (await self.desk.tokens.create(name, role, by="test", lasts_s=None))[1]

    @asynccontextmanager
    async def somebody(self, role: Role | None = Role.ADMIN) -> AsyncIterator[Browser]:
        """Somebody with a token of this role; without a role, without a token."""
        token = await self.token(role, role.value) if role else None
        async with Browser(self.url, token) as browser:
            yield browser

    async def audited(self, action: str = "") -> list[AuditEntry]:
        """The audit log, the oldest first, of actions that begin so."""
        return (await self.desk.audit.entries(action=action or None))[::-1]


_made: list[bytes] = []


async def _empty(folder: Path) -> bytes:
    """A database with all tables and nothing in them; made once, since that takes a while."""
    if not _made:
        file = folder / "empty.sqlite3"
        database = Database(f"sqlite:///{file}")
        await database.open()
        await database.close()
        _made.append(file.read_bytes())
    return _made[0]


@asynccontextmanager
async def office(folder: Path, url: str | None = None, **options: Any) -> AsyncIterator[Office]:
    """A server with records in this folder, or in the database at this address."""
    if url is None:
        (folder / "offhook.sqlite3").write_bytes(await _empty(folder))
    records = {
        "OFFHOOK_DATABASE_URL": url or f"sqlite:///{folder / 'offhook.sqlite3'}",
        "OFFHOOK_SPOOL_DIR": str(folder / "spool"),
    }
    async with serving(**(records | options)) as service:
        yield Office(service)
