"""What a caller writes into X-Forwarded-For is never believed; what a trusted proxy writes, is."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.requests import Request

from offhook.web.admin.attempts import MOST
from offhook.web.admin.origins import Origins, parse
from support.admin import Browser, office

PROXIES = [ip_network(each) for each in ("10.0.0.0/8", "2001:db8:1::/48")]


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]
    client = None if peer is None else (peer, 4711)
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # no proxy: anybody may write that
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),  # the caller wrote the first
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),  # in a header of its own
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),  # two proxies
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),  # a proxy asks, say for its health
        ("10.0.0.1", ["198.51.100.1:50123"], "198.51.100.1"),
        ("2001:db8:1::1", ["[2001:db8:2::7]:50123"], "2001:db8:2::7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, unknown"], "10.0.0.1"),  # and no further
        ("10.0.0.1", ["192.0.2.66, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["\xff" * 10_000], "10.0.0.1"),
        (None, ["198.51.100.1"], "unknown"),
    ],
)
def test_the_header_is_read_from_its_end_as_far_as_it_is_trusted(
    peer: str | None, forwarded: list[str], origin: str
) -> None:
    assert Origins(PROXIES).of(request(peer, *forwarded)) == origin


def test_without_proxies_the_other_end_of_the_connection_counts() -> None:
    assert Origins().of(request("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


@pytest.mark.parametrize("hop", ["", "host", "1.2.3", "[::1", "1.2.3.4.5", "fe80::1::2", "1:2:3"])
def test_what_is_no_address_is_none(hop: str) -> None:
    assert (parse(hop) is None) is (hop != "[::1")


async def attempt(nobody: Browser, forwarded: str) -> int:
    headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forwarded}
    return (await nobody.get("/api/v1/me", headers=headers)).status


async def test_behind_a_trusted_proxy_each_caller_has_a_limit_of_their_own(tmp_path: Path) -> None:
    proxied = {"OFFHOOK_TRUSTED_PROXIES": "127.0.0.1"}
    async with office(tmp_path, **proxied) as opened, Browser(opened.url) as nobody:
        for n in range(MOST):  # what the caller writes in front changes nothing
            assert await attempt(nobody, f"192.0.2.{n}, 198.51.100.1") == 401
        assert await attempt(nobody, "198.51.100.1") == 429
        assert await attempt(nobody, "198.51.100.2") == 401
        (entry,) = await opened.audited("login.blocked")
    assert entry.address == "198.51.100.1"


async def test_without_one_the_header_lifts_no_limit(tmp_path: Path) -> None:
    async with office(tmp_path) as opened, Browser(opened.url) as nobody:
        for n in range(MOST):
            assert await attempt(nobody, f"198.51.100.{n}") == 401
        assert await attempt(nobody, "198.51.100.99") == 429
