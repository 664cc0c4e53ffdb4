"""Signing in by OpenID Connect: only what the provider has really stated, just now, to us."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from offhook.store.tokens import Role
from offhook.web.admin.entrance import BEGUN
from offhook.web.admin.oidc.provider import AGAIN_S, FRESH_S, Provider
from offhook.web.admin.oidc.statements import Statements
from support.admin import Answer, Browser, Office
from support.admin import office as opened
from support.openid import AUDIENCE, CLIENT, SECRET, OpenId, jwt_parts, openid, query_of


@pytest.fixture
async def provider() -> AsyncIterator[OpenId]:
    async with openid() as started:
        yield started


@pytest.fixture
async def office(provider: OpenId, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(
        tmp_path,
        OFFHOOK_OIDC_ISSUER=provider.issuer,
        OFFHOOK_OIDC_CLIENT_ID=CLIENT,
        OFFHOOK_OIDC_CLIENT_SECRET=SECRET,
        OFFHOOK_OIDC_AUDIENCE=AUDIENCE,
        OFFHOOK_OIDC_ROLES="admin=Phone.Admin, supervisor=Phone.Lead, viewer=viewer",
    ) as made:
        yield made


async def come_back(browser: Browser, **change: str) -> Answer:
    """Sign in; `change` alters what the provider sends the browser back with."""
    away = await browser.get("/admin/login")
    assert away.status == 303, away.text
    async with browser.http.get(away.headers["Location"], allow_redirects=False) as answer:
        back = answer.headers["Location"]
    query = "&".join(f"{k}={v}" for k, v in (query_of(back) | change).items() if v)
    return await browser.get(f"/admin/callback?{query}")


# People


async def test_a_person_signs_in_with_the_role_that_the_provider_states(
    office: Office, provider: OpenId
) -> None:
    provider.person["roles"] = ["Other", "Phone.Lead", "viewer"]
    async with Browser(office.url) as browser:
        assert (await come_back(browser)).status == 200
        me = (await browser.get("/api/v1/me")).body
    assert (me["actor"], me["role"]) == ("oidc:ann@example.com", "supervisor")
    (entry,) = await office.audited("login")
    assert (entry.actor, entry.action) == ("oidc:ann@example.com", "login")


async def test_a_role_may_be_a_single_text(office: Office, provider: OpenId) -> None:
    provider.person["roles"] = "Phone.Admin"
    async with Browser(office.url) as browser:
        await come_back(browser)
        assert (await browser.get("/api/v1/me")).body["role"] == "admin"


@pytest.mark.parametrize("roles", [None, [], ["Admin"], {"admin": 1}, [["viewer"]], 7, "admins"])
def test_what_names_no_role_gives_none(roles: Any) -> None:
    statements = Statements(Provider("https://login.example.com"), "roles", ())
    assert statements.role({"roles": roles}) is None
    assert statements.role({"roles": ["x", "viewer", "admin", "supervisor"]}) is Role.ADMIN


async def test_who_has_no_role_gets_403_and_no_session(office: Office, provider: OpenId) -> None:
    provider.person["roles"] = ["admin"]  # which OFFHOOK_OIDC_ROLES calls Phone.Admin
    async with Browser(office.url) as browser:
        answer = await come_back(browser)
        assert answer.status == 403
        assert "no role" in answer.detail
        assert (await browser.get("/api/v1/me")).status == 401


async def test_the_request_has_state_nonce_and_a_challenge(office: Office) -> None:
    async with Browser(office.url) as browser:
        away = await browser.get("/admin/login")
        again = await browser.get("/admin/login")
    one, two = query_of(away.headers["Location"]), query_of(again.headers["Location"])
    assert one["redirect_uri"] == f"{office.url}/admin/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) >= 43
        assert one[name] != two[name]
    assert "lax" in away.headers["Set-Cookie"].lower()
    assert "httponly" in away.headers["Set-Cookie"].lower()


NOW = int(time.time())
WRONG: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "two audiences and no azp": {"aud": [CLIENT, "other"]},
    "made for another party": {"azp": "other"},
    "another issuer": {"iss": "https://login.example.com"},
    "no issuer": {"iss": None},
    "expired": {"exp": NOW - 3600},
    "no end": {"exp": None},
    "not valid yet": {"nbf": NOW + 3600},
    "nobody": {"sub": None},
    "an odd end": {"exp": "soon"},
}


@asynccontextmanager
async def reader(provider: OpenId) -> AsyncIterator[Statements]:
    """What reads the statements of a provider."""
    async with Provider(provider.issuer) as ours:
        yield Statements(ours, "roles", (), AUDIENCE)


async def test_a_statement_that_is_right_is_believed(provider: OpenId) -> None:
    token = provider.statement(aud=CLIENT, sub="ann", nonce="mine")
    both = provider.statement(aud=[CLIENT, "other"], azp=CLIENT, sub="ann", nonce="mine")
    async with reader(provider) as statements:
        assert await statements.person(token, CLIENT, "mine")
        assert await statements.person(both, CLIENT, "mine")


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG.keys())
async def test_a_statement_that_is_wrong_is_not_believed(
    provider: OpenId, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    token = provider.statement(aud=CLIENT, sub="ann", nonce="mine")
    async with reader(provider) as statements:
        assert await statements.person(token, CLIENT, "mine") is None


async def test_a_statement_for_another_sign_in_opens_nothing(
    office: Office, provider: OpenId
) -> None:
    provider.person["roles"] = ["Phone.Admin"]
    provider.spoil = {"nonce": "of another"}
    async with Browser(office.url) as browser:
        assert (await come_back(browser)).status == 401
        assert (await browser.get("/api/v1/me")).status == 401


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": "x"}, {"code": ""}, {"iss": "https://x.y"}]
)
async def test_an_answer_that_is_wrong_opens_nothing(
    office: Office, provider: OpenId, change: dict[str, str]
) -> None:
    provider.person["roles"] = ["Phone.Admin"]
    async with Browser(office.url) as browser:
        assert (await come_back(browser, **change)).status == 401
        assert (await browser.get("/api/v1/me")).status == 401


async def test_an_answer_cannot_be_used_in_another_browser_or_twice(
    office: Office, provider: OpenId
) -> None:
    provider.person["roles"] = ["Phone.Admin"]
    async with Browser(office.url) as victim, Browser(office.url) as thief:
        away = await victim.get("/admin/login")
        async with victim.http.get(away.headers["Location"], allow_redirects=False) as answer:
            back = answer.headers["Location"].removeprefix(office.url)
        assert (await thief.get(back)).status == 401
        assert (await victim.get(back)).status == 200
        assert (await victim.get(back)).status == 401


async def test_a_client_may_show_its_secret_in_a_header(office: Office, provider: OpenId) -> None:
    provider.methods = ["client_secret_basic"]
    provider.person["roles"] = ["viewer"]
    async with Browser(office.url) as browser:
        assert (await come_back(browser)).status == 200


async def test_a_provider_that_calls_itself_otherwise_is_not_trusted(
    office: Office, provider: OpenId
) -> None:
    provider.discovery_spoil = {"issuer": "https://login.example.com"}
    async with Browser(office.url) as browser:
        answer = await browser.get("/admin/login")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_provider_that_is_away_is_told_and_waited_for(
    office: Office, provider: OpenId
) -> None:
    provider.down = True
    async with Browser(office.url) as browser:
        assert (await browser.get("/admin/login")).status == 503
        provider.down = False
        assert (await browser.get("/admin/login")).status == 303


async def test_nobody_fills_the_database_with_sign_ins_that_are_begun(office: Office) -> None:
    async with Browser(office.url) as browser:
        for _ in range(BEGUN):
            assert (await browser.get("/admin/login")).status == 303
        assert (await browser.get("/admin/login")).status == 429


# Machines


async def me(office: Office, token: str) -> Answer:
    async with Browser(office.url, token) as machine:
        return await machine.get("/api/v1/me")


async def test_a_machine_comes_with_an_access_token(office: Office, provider: OpenId) -> None:
    answer = await me(office, provider.access_token(roles=["viewer"]))
    assert answer.status == 200
    assert (answer.body["actor"], answer.body["role"]) == ("oidc:robot", "viewer")


@pytest.mark.parametrize("key", [RSAKey, ECKey])
async def test_keys_of_either_kind_will_do(
    office: Office, provider: OpenId, key: type[RSAKey] | type[ECKey]
) -> None:
    if key is ECKey:
        provider.key = ECKey.generate_key("P-256", {"kid": "ec"})
    provider.header = {"alg": "PS256" if key is RSAKey else "ES256", "typ": "at+jwt", "own": 1}
    assert (await me(office, provider.access_token(roles=["viewer"]))).status == 200


OF_PEOPLE = {"no nonce", "another nonce", "made for another party", "two audiences and no azp"}


@pytest.mark.parametrize("what", sorted(WRONG.keys() - OF_PEOPLE))
async def test_an_access_token_that_is_wrong_is_not_believed(provider: OpenId, what: str) -> None:
    provider.spoil = WRONG[what]
    async with reader(provider) as statements:
        assert await statements.machine(provider.access_token(roles=["admin"])) is None


async def test_an_id_token_opens_no_api(provider: OpenId) -> None:
    async with reader(provider) as statements:
        for name, value in (("aud", CLIENT), ("nonce", "as an ID token has")):
            token = provider.access_token(**{"roles": ["admin"], name: value})
            assert await statements.machine(token) is None


async def test_a_wrong_access_token_gets_401(office: Office, provider: OpenId) -> None:
    for name, value in (("exp", NOW - 3600), ("aud", "other")):
        token = provider.access_token(**{"roles": ["Phone.Admin"], name: value})
        assert (await me(office, token)).status == 401


async def test_an_access_token_without_a_role_gets_403(office: Office, provider: OpenId) -> None:
    assert (await me(office, provider.access_token())).status == 403


async def test_a_statement_that_nobody_signed_is_not_believed(provider: OpenId) -> None:
    good = provider.access_token(roles=["admin"])
    head, claims, signature = good.split(".")
    forged = [
        provider.unsigned(roles=["admin"]),
        jwt_parts({"alg": "NONE"}, good, b""),
        jwt_parts({"alg": "nOnE", "kid": "one"}, good, b"x"),
        jwt_parts({"kid": "one"}, good, b"x"),
        jwt_parts({"alg": ["RS256"]}, good, b"x"),
        provider.signed_with_public_key(roles=["admin"]),
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"{head}.{provider.access_token(sub='root').split('.')[1]}.{signature}",
        "a.b.c",
        "..",
        "e30.e30.e30",
        "\u00e4.b.c",
        good + "x" * 20_000,
    ]
    async with reader(provider) as statements:
        assert await statements.machine(good)
        for token in forged:
            assert await statements.machine(token) is None, token


async def test_an_unsigned_token_gets_401(office: Office, provider: OpenId) -> None:
    assert (await me(office, provider.unsigned(roles=["Phone.Admin"]))).status == 401


async def test_a_stranger_who_uses_our_key_id_gets_nothing(
    office: Office, provider: OpenId
) -> None:
    async with openid("two") as stranger:
        stranger.header = {"kid": "one"}
        stranger.spoil = {"iss": provider.issuer}
        token = stranger.access_token(roles=["Phone.Admin"])
    assert (await me(office, token)).status == 401


async def test_an_address_of_keys_in_the_token_is_not_followed(
    office: Office, provider: OpenId
) -> None:
    async with openid("two") as stranger:
        stranger.header = {"kid": "one"}
        stranger.spoil = {"iss": provider.issuer}
        stranger.header |= {"jku": f"{stranger.url}/keys", "jwk": stranger.key.as_dict(False)}
        assert (await me(office, stranger.access_token(roles=["Phone.Admin"]))).status == 401
        assert stranger.asked_for_keys == 0


async def test_without_an_audience_no_access_token_is_taken(
    provider: OpenId, tmp_path: Path
) -> None:
    settings = {"OFFHOOK_OIDC_ISSUER": provider.issuer, "OFFHOOK_OIDC_CLIENT_ID": CLIENT}
    async with opened(tmp_path, **settings) as office:
        for audience in (CLIENT, AUDIENCE):
            assert (
                await me(office, provider.access_token(aud=audience, roles=["admin"]))
            ).status == 401


# Keys


async def test_a_new_key_is_found_without_a_restart(provider: OpenId) -> None:
    now = 1000.0
    async with Provider(provider.issuer, lambda: now) as ours:
        assert [key.kid for key in (await ours.keys("one")).keys] == ["one"]
        provider.rotate()
        assert [key.kid for key in (await ours.keys("two")).keys] == ["one"]  # asked a moment ago
        now += AGAIN_S
        assert [key.kid for key in (await ours.keys("two")).keys] == ["two"]


async def test_made_up_key_ids_do_not_make_us_ask_all_the_time(provider: OpenId) -> None:
    now = 1000.0
    async with Provider(provider.issuer, lambda: now) as ours:
        for n in range(50):
            await ours.keys(f"made-up-{n}")
    assert provider.asked_for_keys == 1


async def test_keys_are_asked_for_again_after_an_hour(provider: OpenId) -> None:
    now = 1000.0
    async with Provider(provider.issuer, lambda: now) as ours:
        await ours.keys("one")
        provider.rotate()  # the old key was withdrawn, perhaps because it was stolen
        now += FRESH_S
        assert [key.kid for key in (await ours.keys("one")).keys] == ["two"]


async def test_while_the_provider_is_away_its_last_keys_are_good(provider: OpenId) -> None:
    now = 1000.0
    async with Provider(provider.issuer, lambda: now) as ours:
        await ours.keys("one")
        provider.down = True
        now += FRESH_S + 1
        assert [key.kid for key in (await ours.keys("one")).keys] == ["one"]


async def test_a_session_lasts_though_the_provider_is_away(
    office: Office, provider: OpenId
) -> None:
    provider.person["roles"] = ["viewer"]
    async with Browser(office.url) as browser:
        await come_back(browser)
        provider.down = True
        assert (await browser.get("/api/v1/me")).body["role"] == Role.VIEWER
