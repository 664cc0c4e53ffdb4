"""Who asks: a program with a token, a person in a browser, a machine of the company's own."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from offhook.store.tokens import Role


class Visitor(Struct, frozen=True):
    """Somebody who was let in. `actor` is how the audit log names them, e.g. `token:crm`.

    `csrf` is set where a browser vouches by its cookie: then every change must carry it.
    """

    actor: str
    role: Role
    address: str
    expires_at: int | None = None
    csrf: str | None = None


def csrf_of(session: str) -> str:
    """What a page of ours can know of a session, and a page of somebody else's cannot."""
    return sha256(f"csrf:{session}".encode()).hexdigest()
