"""A browser gets in by a link for one use, stays by its cookie, and changes nothing unasked."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

from offhook.store.passes import Kind
from offhook.store.tokens import Role
from offhook.web.admin.attempts import MOST
from offhook.web.admin.mount import CONSOLE, invite
from support.admin import Answer, Browser, Office, office


async def link(office: Office) -> str:
    """The path and query of a new link."""
    return (await invite(office.desk.passes, office.url)).removeprefix(office.url)


def cookie(answer: Answer, name: str = "offhook_session") -> dict[str, str]:
    """What a cookie was set with."""
    morsel = SimpleCookie(answer.headers["Set-Cookie"])[name]
    return {key: str(value) for key, value in morsel.items() if value}


async def test_a_link_opens_a_session_once(office: Office) -> None:
    path = await link(office)
    async with Browser(office.url) as first, Browser(office.url) as second:
        assert (await first.get(path)).status == 200
        assert (await second.get(path)).status == 401
        me = (await first.get("/api/v1/me")).body
        assert (await second.get("/api/v1/me")).status == 401
    assert (me["actor"], me["role"]) == (CONSOLE, "admin")
    (entry,) = await office.audited("login")
    assert (entry.actor, entry.action, entry.address) == (CONSOLE, "login", "127.0.0.1")


async def test_to_ask_about_a_link_does_not_use_it_up(office: Office) -> None:
    path = await link(office)
    async with Browser(office.url) as preview, Browser(office.url) as person:
        assert (await preview.ask("HEAD", path)).status == 401
        assert (await person.get(path)).status == 200


async def test_the_link_goes_to_the_one_page_and_says_nothing_of_itself(office: Office) -> None:
    path = await link(office)
    async with Browser(office.url) as browser:
        answer = await browser.get(path)
    assert path.startswith("/admin/enter?token=")
    assert path.partition("=")[2] not in answer.text + str(answer.headers)


async def test_the_cookie_is_for_this_server_and_out_of_reach_of_pages(office: Office) -> None:
    async with Browser(office.url) as browser:
        set_with = cookie(await browser.get(await link(office)))
    assert set_with["httponly"] == "True"
    assert set_with["samesite"] == "strict"
    assert set_with["path"] == "/"
    assert "domain" not in set_with
    assert "secure" not in set_with  # loopback has no TLS


async def test_where_people_come_by_tls_the_cookie_goes_by_tls_only(tmp_path: Path) -> None:
    public = {"OFFHOOK_PUBLIC_URL": "https://phone.example.com"}
    async with office(tmp_path, **public) as far, Browser(far.url) as browser:
        answer = await browser.get(await link(far))
        assert cookie(answer, "__Host-offhook_session")["secure"] == "True"
        assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_a_link_of_yesterday_opens_nothing(office: Office) -> None:
    secret = await office.desk.passes.issue(Kind.LINK, who="x", role=Role.ADMIN, lasts_s=0)
    async with Browser(office.url) as browser:
        answer = await browser.get(f"/admin/enter?token={secret}")
    assert answer.status == 401
    assert "offhook token link" in answer.detail


async def test_guessing_links_is_stopped(office: Office) -> None:
    async with Browser(office.url) as browser:
        for _ in range(MOST):
            assert (await browser.get("/admin/enter?token=guess")).status == 401
        assert (await browser.get(await link(office))).status == 429


async def test_a_session_is_no_link_and_no_token(office: Office) -> None:
    secret = await office.desk.passes.issue(Kind.SESSION, who="x", role=Role.ADMIN, lasts_s=60)
    async with Browser(office.url) as browser:
        assert (await browser.get(f"/admin/enter?token={secret}")).status == 401
        bearer = {"Authorization": f"Bearer {secret}"}
        assert (await browser.get("/api/v1/me", headers=bearer)).status == 401
        ok = await browser.get("/api/v1/me", cookies={"offhook_session": secret})
        assert ok.status == 200


async def test_a_change_by_cookie_needs_what_only_our_page_knows(office: Office) -> None:
    body = {"name": "crm", "role": "viewer"}
    async with Browser(office.url) as browser, Browser(office.url) as other:
        await browser.get(await link(office))
        await other.get(await link(office))
        csrf = (await browser.get("/api/v1/me")).body["csrf"]
        foreign = (await other.get("/api/v1/me")).body["csrf"]
        assert csrf != foreign
        for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": foreign}):
            assert (await browser.post("/api/v1/tokens", body, headers=wrong)).status == 403
        right = await browser.post("/api/v1/tokens", body, headers={"X-CSRF-Token": csrf})
        assert right.status == 201
    assert [each.name for each in await office.desk.tokens.all()] == ["crm"]


async def test_a_token_needs_no_such_thing(office: Office) -> None:
    async with office.somebody(Role.ADMIN) as admin:
        assert (await admin.get("/api/v1/me")).body["csrf"] is None
        body = {"name": "crm", "role": "viewer"}
        assert (await admin.post("/api/v1/tokens", body)).status == 201


async def test_a_wrong_token_is_not_saved_by_a_good_cookie(office: Office) -> None:
    async with Browser(office.url) as browser:
        await browser.get(await link(office))
        wrong = {"Authorization": "Bearer offhook_wrong"}
        assert (await browser.get("/api/v1/me", headers=wrong)).status == 401


async def test_who_leaves_is_out_at_once(office: Office) -> None:
    async with Browser(office.url) as browser:
        await browser.get(await link(office))
        csrf = (await browser.get("/api/v1/me")).body["csrf"]
        jar = {c.key: c.value for c in browser.http.cookie_jar}
        assert (await browser.post("/admin/leave")).status == 403
        left = await browser.post("/admin/leave", headers={"X-CSRF-Token": csrf})
        assert left.status == 204
        assert (await browser.get("/api/v1/me")).status == 401
        assert (await browser.get("/api/v1/me", cookies=jar)).status == 401
    assert [entry.action for entry in await office.audited("log")] == ["login", "logout"]


async def test_without_a_provider_there_is_no_sign_in(office: Office) -> None:
    async with Browser(office.url) as browser:
        for path in ("/admin/login", "/admin/callback?code=x&state=y"):
            answer = await browser.get(path)
            assert answer.status == 404
            assert "OFFHOOK_OIDC_ISSUER" in answer.detail
