"""What the API tells of calls: as much as the role may know, in the form that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.store.facts import AnyFact, MomentFact
from offhook.store.tokens import Role
from offhook.store.upserts import Upserts
from support.admin import Office
from support.admin import office as opened
from support.made_facts import CALLER, RANG, WORDS, call_fact, made_call

SUPERVISOR, VIEWER, ADMIN = Role.SUPERVISOR, Role.VIEWER, Role.ADMIN
CALL = "/api/v1/calls/rtc_1"


async def written(office: Office, *facts: AnyFact) -> None:
    """Put these into the records."""
    writer = office.service.app.state.writer
    writer.take(facts)
    assert await writer.settled(within=10)


async def test_calls_come_newest_first_page_by_page(office: Office) -> None:
    await written(office, *(call_fact(f"rtc_{n}", RANG + n) for n in range(5)))
    async with office.somebody(VIEWER) as viewer:
        seen, cursor = [], ""
        for _ in range(3):
            page = (await viewer.get(f"/api/v1/calls?limit=2{cursor}")).body
            seen += [each["call_id"] for each in page["items"]]
            cursor = f"&cursor={page['next']}"
    assert seen == ["rtc_4", "rtc_3", "rtc_2", "rtc_1", "rtc_0"]
    assert page["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("since=2027-01-15T08:00:01Z", ["rtc_2"]),
        ("since=2027-01-15T09:00:01%2B01:00", ["rtc_2"]),
        ("since=2027-01-15T09:00:01+01:00", ["rtc_2"]),
        ("until=2027-01-15T08:00:01Z", ["rtc_1"]),
        ("reason=caller_hung_up", ["rtc_2"]),
        ("fault=bot", ["rtc_1"]),
        ("model=gpt-realtime&line=%2B493023125001", ["rtc_2", "rtc_1"]),
        ("bot=other", []),
        ("live=false", ["rtc_2", "rtc_1"]),
        ("live=true", []),
        ("min_length_ms=70000", ["rtc_2"]),
        ("text=kettle%20leak", ["rtc_1"]),
        ("number=%2B1%20555%200142", ["rtc_1"]),
    ],
)
async def test_calls_are_found(office: Office, query: str, found: list[str]) -> None:
    later = RANG + 5000
    two = call_fact(
        "rtc_2",
        later,
        reason="caller_hung_up",
        fault="caller",
        ended_at=later + 90_000,
        caller_hash=None,
    )
    await written(office, *made_call(), two)
    async with office.somebody(SUPERVISOR) as supervisor:
        answer = await supervisor.get(f"/api/v1/calls?{query}")
    assert [each["call_id"] for each in answer.body["items"]] == found


@pytest.mark.parametrize("query", ["text=kettle", "number=%2B15550142"])
async def test_a_viewer_does_not_look_for_words_or_numbers(office: Office, query: str) -> None:
    async with office.somebody(VIEWER) as viewer:
        assert (await viewer.get(f"/api/v1/calls?{query}")).status == 403


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/v1/calls?limit=-1", "limit: expected int >= 1."),
        ("/api/v1/calls?limit=0", "limit: expected int >= 1."),
        ("/api/v1/calls?limit=201", "limit: expected int <= 200."),
        ("/api/v1/calls?limit=ten", "limit: expected int, got str."),
        ("/api/v1/calls?limit=99999999999999999999", "limit: expected int, got str."),
        ("/api/v1/calls?limit=1&limit=2", "limit: is given twice."),
        ("/api/v1/calls?since=yesterday", "since: takes a time with its zone, such as "),
        ("/api/v1/calls?since=2027-02-30T00:00:00Z", "since: takes a time with its zone, such as "),
        ("/api/v1/calls?since=2027-01-01T00:00:00", "since: expected datetime with a timezone"),
        ("/api/v1/calls?live=maybe", "live: expected bool"),
        ("/api/v1/calls?min_cost_usd=nan", "min_cost_usd: expected float"),
        ("/api/v1/calls?text=%3F%21", "text: has no word in it"),
        ("/api/v1/calls?cursor=AAAA", "cursor: is not one that we gave; begin without one."),
        ("/api/v1/calls?reason=a%00b", "reason: must not hold control characters."),
        ("/api/v1/calls?reason=", "reason: expected str of length >= 1."),
        ("/api/v1/calls?offset=5", "offset: there is no such parameter; there are: since,"),
        ("/api/v1/costs?by=caller", "by: takes one of model, line, day."),
        ("/api/v1/webhooks?cursor=x", "cursor: is not one that we gave"),
        ("/api/v1/calls/a%20b", "call_id: an id has 1 to 200 visible ASCII characters."),
        ("/api/v1/calls/" + "x" * 201, "call_id: an id has 1 to 200 visible ASCII characters."),
        ("/api/v1/calls/%00", "call_id: an id has 1 to 200 visible ASCII characters."),
    ],
)
async def test_what_is_out_of_range_is_refused_in_words(
    office: Office, path: str, says: str
) -> None:
    async with office.somebody(ADMIN) as admin:
        answer = await admin.get(path)
    assert (answer.status, answer.media) == (422, "application/problem+json")
    assert answer.detail.startswith(says)


async def test_a_call_is_told_without_its_words(office: Office) -> None:
    why = "the kettle of Ann leaks"
    await written(office, *made_call(reason="bot_hung_up", detail=why))
    async with office.somebody(ADMIN) as admin:
        listed = await admin.get("/api/v1/calls")
        shown = await admin.get(CALL)
    assert shown.body["call"]["caller_masked"].endswith("42")
    assert shown.body["turns"][0]["latency_ms"] == 800
    assert shown.body["transfers"][0]["target"] == "workshop"
    for answer in (listed, shown):
        for secret in (CALLER, "Ann", "kettle", "Hello", "in stock"):
            assert secret not in answer.text


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("ended_by_command", "ended_by_command: the kettle leaks"),
        ("bot_hung_up", "bot_hung_up: the kettle leaks"),
        ("bug", "bug"),  # its detail is no words of anybody, and with the call
    ],
)
async def test_the_words_of_an_end_are_in_the_timeline_of_supervisors(
    office: Office, reason: str, told: str
) -> None:
    end = MomentFact(call_id="rtc_1", rev=1, n=9, at=RANG + 90_000, kind="ended", detail=reason)
    await written(office, *made_call(reason=reason, detail="the kettle leaks"), end)
    async with office.somebody(SUPERVISOR) as supervisor, office.somebody(VIEWER) as viewer:
        timeline = (await supervisor.get(f"{CALL}/timeline")).body["items"]
        assert (await viewer.get(f"{CALL}/timeline")).status == 403
    moments = [each["moment"] for each in timeline if each["kind"] == "moment"]
    assert [each["detail"] for each in moments if each["kind"] == "ended"] == [told]


@pytest.mark.parametrize(
    ("path", "accept", "media", "begins"),
    [
        ("transcript", "*/*", "application/json", '{"call_id":"rtc_1"'),
        ("transcript", "text/plain", "text/plain", "[0:00] Bot: Hello."),
        ("transcript", "text/html, text/vtt;q=0.9", "text/vtt", "WEBVTT"),
        ("transcript.json", "text/plain", "application/json", '{"call_id":"rtc_1"'),
        ("transcript.txt", "*/*", "text/plain", "[0:00] Bot: Hello."),
        ("transcript.vtt", "*/*", "text/vtt", "WEBVTT"),
    ],
)
async def test_a_transcript_comes_in_the_form_that_is_asked_for(
    office: Office, path: str, accept: str, media: str, begins: str
) -> None:
    await written(office, *made_call())
    async with office.somebody(SUPERVISOR) as supervisor:
        answer = await supervisor.get(f"{CALL}/{path}", headers={"Accept": accept})
    assert (answer.status, answer.media) == (200, media)
    assert answer.text.startswith(begins)
    assert WORDS in answer.text


async def test_every_look_at_words_is_in_the_audit_log(office: Office) -> None:
    await written(office, *made_call())
    async with office.somebody(SUPERVISOR) as supervisor:
        for part in ("transcript", "transcript.txt", "transcript.vtt", "timeline", "tools"):
            assert (
                WORDS in (answer := await supervisor.get(f"{CALL}/{part}")).text or part == "tools"
            )
            assert answer.status == 200
        await supervisor.get("/api/v1/calls?text=kettle")
        await supervisor.get("/api/v1/calls/rtc_none/transcript")
    entries = await office.audited("transcript")
    assert [entry.action for entry in entries] == ["transcript.viewed"] * 5 + [
        "transcripts.searched"
    ]
    assert {entry.subject for entry in entries} == {"rtc_1", None}
    assert {entry.actor for entry in entries} == {"token:supervisor"}
    assert "kettle" not in str(entries)


async def test_a_number_is_revealed_to_those_who_say_why(office: Office) -> None:
    await written(office, *made_call())
    async with office.somebody(ADMIN) as admin:
        assert (await admin.post(f"{CALL}/number", {})).status == 422
        assert (await admin.post(f"{CALL}/number", {"reason": "x"})).status == 422
        assert await office.audited("number") == []
        answer = await admin.post(f"{CALL}/number", {"reason": "asked to be called back"})
    assert answer.body == {"call_id": "rtc_1", "number": CALLER}
    (entry,) = await office.audited("number.revealed")
    assert (entry.actor, entry.subject) == ("token:admin", "rtc_1")
    assert (entry.reason, entry.address) == ("asked to be called back", "127.0.0.1")
    assert CALLER not in str(entry)


async def test_a_number_that_is_not_kept_cannot_be_revealed(office: Office) -> None:
    await written(office, call_fact("rtc_2", caller_number=None))
    async with office.somebody(ADMIN) as admin:
        for call_id in ("rtc_2", "rtc_none"):
            answer = await admin.post(f"/api/v1/calls/{call_id}/number", {"reason": "please"})
            assert answer.status == 404
    assert await office.audited("number") == []


async def test_figures_are_there_for_viewers(office: Office) -> None:
    await written(office, *made_call())
    async with office.somebody(VIEWER) as viewer:
        stats = (await viewer.get("/api/v1/stats")).body
        latency = (await viewer.get("/api/v1/latency?by=day")).body["items"]
        costs = (await viewer.get("/api/v1/costs?by=model")).body["items"]
        deliveries = (await viewer.get("/api/v1/deliveries?call_id=rtc_1")).body["items"]
        none = (await viewer.get("/api/v1/stats?since=2030-01-01T00:00:00Z")).body
    assert (stats["calls"], stats["transferred"], none["calls"]) == (1, 1, 0)
    assert [(p["measure"], p["p95"]) for p in latency if p["measure"] == "latency"] == [
        ("latency", 800)
    ]
    assert costs == [{"group": "gpt-realtime", "calls": 1, "unpriced": 1, "cost_usd": None}]
    assert deliveries[0]["delivery_id"] == "wh_rtc_1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/api/stats", "/api/v1/stats"),
        ("/api/calls", "/api/v1/calls"),
        ("/api/calls/active", "/api/v1/calls/live"),
        ("/api/calls/rtc_1", "/api/v1/calls/rtc_1"),
        ("/api/calls/rtc_1/transcript", "/api/v1/calls/rtc_1/transcript"),
    ],
)
async def test_the_paths_of_the_typescript_bot_answer_too(
    office: Office, old: str, new: str
) -> None:
    await written(office, *made_call())
    async with office.somebody(SUPERVISOR) as supervisor:
        assert (await supervisor.get(old)).body == (await supervisor.get(new)).body


async def test_a_call_that_nobody_made_is_not_there(office: Office) -> None:
    async with office.somebody(ADMIN) as admin:
        for part in ("", "/transcript", "/timeline", "/tools", "/transcript.vtt"):
            answer = await admin.get(f"/api/v1/calls/rtc_none{part}")
            assert (answer.status, answer.detail) == (404, "There is no call with this id.")


# Tokens, webhooks, audit


async def test_a_token_that_is_made_works_until_it_is_revoked(office: Office) -> None:
    async with office.somebody(ADMIN) as admin, office.somebody(None) as crm:
        body = {"name": "crm", "role": "viewer", "expires_in_days": 1}
        made = await admin.post("/api/v1/tokens", body)
        assert made.status == 201
        bearer = {"Authorization": f"Bearer {made.body['secret']}"}
        assert (await crm.get("/api/v1/me", headers=bearer)).body["actor"] == "token:crm"
        listed = await admin.get("/api/v1/tokens")
        assert made.body["secret"] not in listed.text
        token_id = made.body["token"]["id"]
        assert (await admin.ask("DELETE", f"/api/v1/tokens/{token_id}")).status == 200
        assert (await crm.get("/api/v1/me", headers=bearer)).status == 401
        assert (await admin.ask("DELETE", f"/api/v1/tokens/{token_id}")).status == 404
    entries = await office.audited("token.")
    assert [(e.action, e.subject) for e in entries] == [
        ("token.created", token_id),
        ("token.revoked", token_id),
    ]


async def test_dead_webhooks_are_seen_and_tried_again(office: Office) -> None:
    outbox = type(office.desk.outbox)(
        office.desk.database, ("https://crm.example.com/x?key=s3cret",)
    )
    facts = [call_fact("rtc_1"), call_fact("rtc_2")]
    await Upserts(office.desk.database, outbox.owe).write(facts)
    first, _ = await outbox.claim()
    await outbox.failed(first, "status 500", None)
    async with office.somebody(ADMIN) as admin:
        (dead,) = (await admin.get("/api/v1/webhooks?state=dead")).body["items"]
        page = (await admin.get("/api/v1/webhooks?limit=1")).body
        rest = (await admin.get(f"/api/v1/webhooks?cursor={page['next']}")).body
        assert len({each["id"] for each in page["items"] + rest["items"]}) == 2
        assert (dead["id"], dead["host"]) == (first.id, "crm.example.com")
        assert "s3cret" not in str(dead)
        assert (await admin.post(f"/api/v1/webhooks/{first.id}/retry")).status == 202
        assert (await admin.post(f"/api/v1/webhooks/{first.id}/retry")).status == 404
    assert [e.subject for e in await office.audited("webhook.retried")] == [first.id]


async def test_the_audit_log_can_be_read_by_admins(office: Office) -> None:
    async with office.somebody(ADMIN) as admin:
        await admin.post("/api/v1/tokens", {"name": "a", "role": "viewer"})
        entries = (await admin.get("/api/v1/audit?action=token.&limit=1")).body["items"]
    assert [entry["action"] for entry in entries] == ["token.created"]
    assert (await office.desk.audit.verify()).holds


# Bodies


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": "", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": "[" * 50_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": "name=a&role=admin"}, 415),
        ({"json": {"name": "a" * 70_000, "role": "viewer"}}, 413),
        ({"json": []}, 422),
        ({"json": {"name": "a", "role": "root"}}, 422),
        ({"json": {"name": "a", "role": "viewer", "admin": True}}, 422),
        ({"json": {"name": "a", "role": "viewer", "expires_in_days": 1e99}}, 422),
        ({"json": {"name": "a\n", "role": "viewer"}}, 422),
        ({"json": {"name": "", "role": "viewer"}}, 422),
        ({"json": {"role": "viewer"}}, 422),
    ],
)
async def test_a_body_that_is_wrong_is_refused(
    office: Office, options: dict[str, object], status: int
) -> None:
    async with office.somebody(ADMIN) as admin:
        answer = await admin.ask("POST", "/api/v1/tokens", **options)
    assert (answer.status, answer.media) == (status, "application/problem+json")
    assert [each.name for each in await office.desk.tokens.all()] == ["admin"]


# The database


async def test_both_databases_give_the_same_answers(database_url: str, tmp_path: Path) -> None:
    async with opened(tmp_path, database_url) as office:
        await written(office, *made_call())
        async with office.somebody(ADMIN) as admin:
            found = await admin.get("/api/v1/calls?text=kettle&number=%2B15550142&limit=1")
            assert [each["call_id"] for each in found.body["items"]] == ["rtc_1"]
            for path in ("", "/transcript", "/timeline", "/tools"):
                assert (await admin.get(CALL + path)).status == 200
            for path in ("stats", "latency?by=line", "costs?by=day", "audit", "tokens", "webhooks"):
                assert (await admin.get(f"/api/v1/{path}")).status == 200
            for odd in ("since=0001-01-01T00:00:00Z", "until=9999-12-31T23:59:59Z", "cursor=x"):
                for path in ("calls", "deliveries"):
                    assert (await admin.get(f"/api/v1/{path}?{odd}")).status in (200, 422)


async def test_while_the_database_is_away_nothing_is_told_and_nobody_let_in(
    office: Office,
) -> None:
    async with office.somebody(ADMIN) as admin:
        assert (await admin.get("/api/v1/calls")).status == 200
        async with office.desk.database.write() as connection:
            for table in ("calls", "tokens"):
                await connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_away")
        answer = await admin.get("/api/v1/calls")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "calls go on" in answer.detail
        async with office.desk.database.write() as connection:
            for table in ("calls", "tokens"):
                await connection.exec_driver_sql(f"ALTER TABLE {table}_away RENAME TO {table}")
        assert (await admin.get("/api/v1/calls")).status == 200
