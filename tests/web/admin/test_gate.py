"""Nothing is open but what has to be, and nobody learns why they were not let in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from starlette.routing import BaseRoute

from offhook.store.tokens import Role
from offhook.web.admin.app import ENDPOINTS, Area
from offhook.web.admin.attempts import ADDRESSES, MOST, WINDOW_S, Attempts
from offhook.web.admin.entrance import OPEN
from support.admin import Browser, Office, office
from support.serving import serving

PUBLIC = {"/", "/healthz", "/readyz", "/openai/webhook"}
PATHS = [(e, path) for e in ENDPOINTS for path in (e.path, *e.also)]


def concrete(path: str) -> str:
    return re.sub(r"\{\w+\}", "id_1", path)


def paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """The paths of routes, also of those that were included; of the API's area its name."""
    for route in routes:
        if isinstance(route, Area):
            yield "the area"
        elif included := getattr(route, "original_router", None):
            yield from paths(included.routes)
        else:
            yield route.path  # type: ignore[attr-defined]


async def test_only_the_webhook_and_health_are_outside_the_gate(office: Office) -> None:
    assert set(paths(office.service.app.routes)) == PUBLIC | {"the area"}


async def test_every_endpoint_answers_401_without_a_credential(office: Office) -> None:
    async with office.somebody(None) as nobody:
        for each, path in PATHS:
            answer = await nobody.ask(each.method, concrete(path))
            assert answer.status == 401, path
            assert answer.media == "application/problem+json"
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="offhook"'


async def test_every_endpoint_answers_403_below_its_role(office: Office) -> None:
    for role in (Role.VIEWER, Role.SUPERVISOR):
        async with office.somebody(role) as somebody:
            for each, path in PATHS:
                if not role.may(each.role):
                    answer = await somebody.ask(each.method, concrete(path))
                    assert answer.status == 403, path
                    assert each.role in answer.detail


def test_words_numbers_and_keys_are_not_for_viewers() -> None:
    for each, path in PATHS:
        if each.changes or re.search(r"transcript|timeline|tools|audit|tokens|webhooks", path):
            assert each.role is not Role.VIEWER, path
        if re.search(r"number|audit|tokens|webhooks", path):
            assert each.role is Role.ADMIN, path


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/admin", "/admin/x", "/metrics/x"])
async def test_what_is_not_there_is_told_only_to_those_who_were_let_in(
    office: Office, path: str
) -> None:
    async with office.somebody(None) as nobody, office.somebody(Role.VIEWER) as viewer:
        assert (await nobody.get(path)).status == 401
        assert (await viewer.get(path)).status == 404


@pytest.mark.parametrize("path", ["/apis", "/administration", "/metrics2", "/v1/calls"])
async def test_what_is_beside_the_area_is_not_of_the_api(office: Office, path: str) -> None:
    async with office.somebody(Role.ADMIN) as admin:
        answer = await admin.get(path)
    assert answer.body["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "path", ["/api/v1/../v1/me", "//api/v1/me", "/api/v1/me/", "/API/v1/me", "/api/v1/%6de"]
)
async def test_no_spelling_of_a_path_gets_around_the_gate(office: Office, path: str) -> None:
    async with office.somebody(None) as nobody:
        answer = await nobody.get(path)
    assert answer.status in (401, 404)
    assert "actor" not in answer.text


async def test_every_wrong_credential_gets_the_very_same_answer(office: Office) -> None:
    token, secret = await office.desk.tokens.create("x", Role.ADMIN, by="test", lasts_s=None)
    await office.desk.tokens.revoke(token.id)
    _, expired = await office.desk.tokens.create("x", Role.ADMIN, by="test", lasts_s=0)
    wrong = [f"Bearer {secret}", f"Bearer {expired}", "Bearer offhook_no", "Bearer x.y.z"]
    wrong += ["Bearer", "Basic YTpi", f"Token {secret}", "Bearer \u00e4"]
    async with office.somebody(None) as nobody:
        answers = [await nobody.get("/api/v1/me", headers={"Authorization": w}) for w in wrong]
        answers.append(await nobody.get("/api/v1/me", cookies={"offhook_session": "no"}))
        answers.append(await nobody.get("/api/v1/me"))
    assert {(a.status, a.text) for a in answers} == {(401, answers[0].text)}


async def test_a_token_may_not_come_in_the_address(office: Office) -> None:
    secret = await office.token()
    async with office.somebody(None) as nobody:
        assert (await nobody.get(f"/api/v1/me?token={secret}")).status == 401
        assert (await nobody.get(f"/api/v1/me?access_token={secret}")).status == 401


async def test_an_address_that_fails_too_often_has_to_wait(office: Office) -> None:
    wrong = {"Authorization": "Bearer offhook_wrong"}
    async with office.somebody(None) as nobody:
        for _ in range(MOST):
            assert (await nobody.get("/api/v1/me", headers=wrong)).status == 401
        answer = await nobody.get("/api/v1/me", headers=wrong)
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= WINDOW_S
        right = {"Authorization": f"Bearer {await office.token()}"}
        assert (await nobody.get("/api/v1/me", headers=right)).status == 429
    (entry,) = await office.audited("login.blocked")
    assert (entry.actor, entry.address) == ("anonymous", "127.0.0.1")


async def test_who_was_let_in_before_does_not_wait_for_what_others_try(office: Office) -> None:
    async with office.somebody(Role.VIEWER) as known, office.somebody(None) as nobody:
        assert (await known.get("/api/v1/me")).status == 200
        for _ in range(MOST + 1):
            last = await nobody.get("/api/v1/me", headers={"Authorization": "Bearer no"})
        assert last.status == 429
        assert (await known.get("/api/v1/me")).status == 200


def test_failures_are_forgotten_after_a_while() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    assert [attempts.failed("192.0.2.1") for _ in range(MOST)] == [False] * (MOST - 1) + [True]
    assert attempts.wait_s("192.0.2.1") == WINDOW_S
    assert attempts.wait_s("192.0.2.2") == 0
    now = WINDOW_S
    assert attempts.wait_s("192.0.2.1") == 0
    assert attempts.failed("192.0.2.1") is False


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    attempts = Attempts(lambda: 0.0)
    for n in range(ADDRESSES + 500):
        attempts.failed(f"2001:db8:{n:x}::1")
    assert len(attempts) == ADDRESSES


def test_all_addresses_of_one_network_of_ipv6_are_one() -> None:
    attempts = Attempts(lambda: 0.0)
    for n in range(MOST):
        attempts.failed(f"2001:db8::{n:x}")
    assert attempts.wait_s("2001:db8::ffff") > 0
    assert attempts.wait_s("2001:db8:0:1::1") == 0


async def test_every_answer_tells_the_browser_to_keep_and_run_nothing(office: Office) -> None:
    async with office.somebody(None) as nobody, office.somebody(Role.VIEWER) as viewer:
        answers = [
            await b.get(p) for b in (nobody, viewer) for p in ("/api/v1/me", "/api/x", "/metrics")
        ]
        answers += [await nobody.get(path) for path in OPEN]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_wrong_method_is_told_which_will_do(office: Office) -> None:
    async with office.somebody(Role.ADMIN) as admin:
        answer = await admin.ask("DELETE", "/api/v1/calls")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


async def test_metrics_need_a_token(office: Office) -> None:
    async with office.somebody(None) as nobody, office.somebody(Role.VIEWER) as viewer:
        assert (await nobody.get("/metrics")).status == 401
        answer = await viewer.get("/metrics")
    assert answer.status == 200
    assert "offhook_live_calls 0.0" in answer.text


async def test_metrics_can_be_opened_and_nothing_else_with_them(tmp_path: Path) -> None:
    async with office(tmp_path, OFFHOOK_METRICS_OPEN="1") as opened, Browser(opened.url) as nobody:
        assert "offhook_live_calls" in (await nobody.get("/metrics")).text
        assert (await nobody.get("/metrics/")).status == 401
        assert (await nobody.post("/metrics")).status == 401
        assert (await nobody.get("/api/v1/me")).status == 401


async def test_without_records_there_is_no_api() -> None:
    async with serving(OFFHOOK_DATABASE_URL="off") as service, Browser(service.url) as nobody:
        assert (await nobody.get("/api/v1/me")).status == 404
