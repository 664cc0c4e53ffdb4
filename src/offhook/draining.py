"""To have a server leave from outside, through its database or through the API of any server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from offhook.errors import UserError
from offhook.runtime.vigil import Vigil
from offhook.store.ownership import Replica

LOOK_S = 0.2
ANSWER_S = 10.0
API = "/api/v1/replicas"

Tell: TypeAlias = Callable[[str], None]


class Fleet(Protocol):
    """All servers that share the calls."""

    async def peers(self) -> list[Replica]:
        """Those that have not left."""
        ...

    def tell_to_leave(self, replica: str) -> Awaitable[object]:
        """Have one leave, as if its process had been told to."""
        ...


async def drain(
    fleet: Fleet, wanted: str | None, tell: Tell, *, wait: bool, patience: float
) -> None:
    """Have the server `wanted` leave, or the only one. `wait`: return when it has left.

    One whose beats stand still for `patience` seconds is dead. Raises `UserError`.
    """
    chosen = _chosen(await fleet.peers(), wanted)
    await fleet.tell_to_leave(chosen.id)
    tell(f"{chosen.id} is told to leave, with {_calls(chosen.live)}.")
    if wait:
        await _left(fleet, chosen, Vigil("offhook drain", patience), tell)


def _chosen(peers: Sequence[Replica], wanted: str | None) -> Replica:
    """The one that is meant. Raises `UserError` that names those that there are."""
    if not peers:
        raise UserError("There is no server to drain in this database.")
    ids = ", ".join(peer.id for peer in peers)
    if wanted is None and len(peers) > 1:
        raise UserError(f"Which one? There are {ids}: name it with --replica.")
    found = next((peer for peer in peers if wanted in (None, peer.id)), None)
    if found is None:
        raise UserError(f"There is no server {wanted}, only {ids}.")
    return found


async def _left(fleet: Fleet, chosen: Replica, vigil: Vigil, tell: Tell) -> None:
    """Tell how many calls it still has, until it has none and has gone."""
    live = chosen.live
    while True:
        try:
            peers = await fleet.peers()
        except GoneError:
            peers = []
        now = next((peer for peer in peers if peer.id == chosen.id), None)
        if now is None:
            tell(f"{chosen.id} has left.")
            return
        if now in vigil.look(peers, time.monotonic()):
            raise UserError(f"{chosen.id} does not answer: it shows no sign of life.")
        if now.live != live:
            live = now.live
            tell(_calls(live))
        await asyncio.sleep(LOOK_S)


def _calls(number: int) -> str:
    return f"{number} call{'' if number == 1 else 's'}"


class GoneError(UserError):
    """Nobody answers at this address (any more)."""


class _Listed(msgspec.Struct):
    items: list[Replica]


class Remote:
    """The fleet, as the API of one of its servers shows it. An async context manager.

    `token` is of the role admin. Raises `UserError` for whatever the API says against it.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UserError(f"--url {url!r} is no address; write one such as http://host:8000")
        self._url = url.rstrip("/")
        self._token = token

    async def __aenter__(self) -> Remote:
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            trust_env=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._http.close()

    async def peers(self) -> list[Replica]:
        """Those that have not left."""
        return msgspec.json.decode(await self._ask("GET", API), type=_Listed).items

    async def tell_to_leave(self, replica: str) -> None:
        """Have one leave."""
        await self._ask("POST", f"{API}/{quote(replica, safe='')}/drain")

    async def _ask(self, method: str, path: str) -> bytes:
        try:
            async with self._http.request(method, self._url + path, allow_redirects=False) as got:
                body = await got.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = type(error).__name__
            raise GoneError(f"No server answers at {self._url} ({why}).") from None
        match got.status:
            case 200 | 202:
                return body
            case 401:
                raise UserError(
                    f"{self._url} does not take this token. Make one where its settings are: "
                    "offhook token create --role admin"
                )
            case 403:
                raise UserError("This token may not have a server leave; it needs the role admin.")
            case 404 if path == API:
                raise UserError(
                    f"The server at {self._url} has no API: it keeps no records "
                    "(OFFHOOK_DATABASE_URL=off), or is older. Stop it with SIGTERM or Ctrl-C."
                )
            case status:
                raise UserError(f"{self._url} answers {status}{_detail(body)}")


def _detail(body: bytes) -> str:
    """What a problem says (RFC 9457)."""
    try:
        told: Any = msgspec.json.decode(body)
        return f": {told['detail']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
