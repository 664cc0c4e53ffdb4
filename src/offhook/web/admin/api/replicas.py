"""The processes that answer calls: which there are, and to have one leave."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from offhook.store.ownership import Ownership
from offhook.store.reading import Page
from offhook.store.tokens import Role
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint
from offhook.web.admin.problems import not_found

ASKER = "api"  # nobody's calls are its own


class Serving(Struct, frozen=True):
    """One process. `capacity` is how many calls it is for, `live` how many it has now; `beats`
    grows as long as it is alive."""

    id: str
    state: Literal["serving", "leaving"]
    beats: int
    capacity: int
    live: int
    version: str
    host: str
    began_at: int


class Leaving(Struct, frozen=True):
    """The process that is told to leave, and the calls that it had just then."""

    id: str
    live: int


@endpoint("GET", "/api/v1/replicas", Role.ADMIN)
async def replicas(desk: Desk, ask: Ask[Nothing, None]) -> Page[Serving]:
    """The processes that share this database, as last heard of; those that have left are gone."""
    peers = await Ownership(desk.database, ASKER).peers()
    fields = Serving.__struct_fields__
    return Page(tuple(Serving(*(getattr(peer, name) for name in fields)) for peer in peers), None)


@endpoint("POST", "/api/v1/replicas/{replica}/drain", Role.ADMIN, status=202)
async def drain_replica(desk: Desk, ask: Ask[Nothing, None]) -> Leaving:
    """Have a process leave, as SIGTERM does: it takes no more calls and hands over those it has.

    Any process takes this for any other; the one that is meant reads it within a second.
    """
    replica = ask.ids["replica"]
    ownership = Ownership(desk.database, ASKER)
    peers = {peer.id: peer for peer in await ownership.peers()}
    if replica not in peers:
        raise not_found("There is no such replica; GET /api/v1/replicas lists those that are.")
    await desk.note(ask.visitor, "replica.drain", subject=replica)
    await ownership.tell_to_leave(replica)
    return Leaving(replica, peers[replica].live)
