"""The settings of who may look in, and of whom we tell. Each is declared here and nowhere else."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from offhook.config.declare import Group, setting
from offhook.config.endpoint import is_loopback
from offhook.config.kinds import SigningSecret, split

ROLES: Final = ("viewer", "supervisor", "admin")
_VALUE: Final = re.compile(r"[\w.:/@-]{1,200}")


def _is_address(url: str) -> bool:
    """Whether this is an http(s) address without user, query or fragment."""
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or parts.username or parts.password)
    plain = parts.scheme in ("http", "https") and bool(parts.hostname)
    return plain and bare and port_is_sound and not re.search(r"[\s\\]", url)


def _base(url: str) -> str:
    if not _is_address(url):
        raise ValueError
    return url.rstrip("/")


def _issuer(url: str) -> str:
    if not _is_address(url):
        raise ValueError
    if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError("must be an https:// address: who we trust must not be forged on the way")
    return url  # exactly as written: `iss` is compared letter by letter


def _urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        if not _is_address(url.partition("?")[0]):
            raise ValueError
    return urls


def _roles(value: object) -> object:
    """`admin=Phone.Admin, viewer=Phone.Viewer` as pairs of a value of the claim and a role."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if not all(role in ROLES and _VALUE.fullmatch(found) for role, _, found in pairs):
        raise ValueError
    return tuple((found, role) for role, _, found in pairs)


BaseUrl = Annotated[str, AfterValidator(_base)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Urls = Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(_urls)]
Network: TypeAlias = IPv4Network | IPv6Network
Networks = Annotated[tuple[Network, ...], BeforeValidator(split)]
RoleMap = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_roles)]


class Admin(Group):
    """Who may look in. Without any of these: tokens, and on loopback a link for one use."""

    public_url: BaseUrl | None = setting(
        "OFFHOOK_PUBLIC_URL",
        None,
        "The address under which people reach this server, for the way back from the sign-in",
        accepts="a URL",
        example="https://phone.example.com",
        unset="the address that it listens on",
    )
    issuer: Issuer | None = setting(
        "OFFHOOK_OIDC_ISSUER",
        None,
        "Who signs people in (OpenID Connect), written exactly as the provider writes `issuer`",
        accepts="a URL",
        example="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
        unset="tokens only",
    )
    client_id: str | None = setting(
        "OFFHOOK_OIDC_CLIENT_ID",
        None,
        "The id under which offhook is registered there",
        accepts="an id",
        example="11111111-1111-1111-1111-111111111111",
        unset="required with `OFFHOOK_OIDC_ISSUER`",
    )
    client_secret: SecretStr | None = setting(
        "OFFHOOK_OIDC_CLIENT_SECRET",
        None,
        "The secret of that registration",
        accepts="a secret",
        example="a secret",
        unset="a public client, with PKCE alone",
    )
    audience: str | None = setting(
        "OFFHOOK_OIDC_AUDIENCE",
        None,
        "The `aud` of access tokens with which machines may come",
        accepts="an id",
        example="api://offhook",
        unset="machines use tokens of offhook's own",
    )
    claim: str = setting(
        "OFFHOOK_OIDC_CLAIM",
        "roles",
        "The claim that says what somebody may do, e.g. `roles` or `groups`",
        accepts="a claim's name",
    )
    roles: RoleMap = setting(
        "OFFHOOK_OIDC_ROLES",
        (),
        "Which value of that claim stands for which role",
        accepts="role=value, separated by commas; roles are viewer, supervisor and admin",
        example="viewer=Phone.Viewer, admin=Phone.Admin",
        unset="the names of the roles",
    )
    trusted_proxies: Networks = setting(
        "OFFHOOK_TRUSTED_PROXIES",
        (),
        "The proxies in front of offhook whose `X-Forwarded-For` is believed, for the limit on "
        "failed attempts and the audit log",
        accepts="IP addresses or networks, separated by commas",
        example="127.0.0.1, 10.0.0.0/8",
        unset="nobody's",
    )
    metrics_open: bool = setting(
        "OFFHOOK_METRICS_OPEN",
        False,
        "Answer `/metrics` without a token, for a scraper in a private network",
    )


class Webhooks(Group):
    """Whom we tell when a call has ended or a transfer has failed."""

    urls: Urls = setting(
        "OFFHOOK_WEBHOOK_URL",
        (),
        "Where `call.ended` and `transfer.failed` are posted to; several, separated by commas",
        accepts="a URL",
        example="https://crm.example.com/offhook",
        unset="nobody is told",
    )
    secret: SigningSecret | None = setting(
        "OFFHOOK_WEBHOOK_SECRET",
        None,
        "The secret that signs them (Standard Webhooks); `openssl rand -base64 32` makes one",
        accepts="a signing secret",
        example="whsec_...",
        unset="required with `OFFHOOK_WEBHOOK_URL`",
    )
    private: bool = setting(
        "OFFHOOK_WEBHOOK_PRIVATE",
        False,
        "Post to addresses of private networks and without TLS, too",
    )
