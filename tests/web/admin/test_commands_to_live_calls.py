"""People command live calls through the API; each command is in the audit log first."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator import Hears, Script
from offhook.store.tokens import Role
from support.admin import Office
from support.made_facts import call_fact
from support.serving import said

HOLD = Script(steps=(Hears(), Hears()))
ORDERS: dict[str, dict[str, Any]] = {
    "say": {"words": "A colleague joins us in a moment."},
    "whisper": {"text": "She is a customer of many years."},
    "tools": {"muted": True},
    "hangup": {"reason": "enough"},
}


async def test_a_supervisor_lets_the_bot_say_something(office: Office) -> None:
    call = await office.service.ring(HOLD)
    await call.reached("bot_said")
    async with office.somebody(Role.SUPERVISOR) as supervisor:
        answer = await supervisor.post(f"/api/v1/calls/{call.call_id}/say", ORDERS["say"])
    assert (answer.status, answer.body) == (202, {"call_id": call.call_id, "order": "say"})
    await call.reached("bot_said", count=2)
    (entry,) = await office.audited("call.")
    assert (entry.actor, entry.action, entry.subject) == (
        "token:supervisor",
        "call.say",
        call.call_id,
    )
    assert "colleague" not in str(entry)
    assert len(said(call)) == 2


async def test_every_command_reaches_the_call_under_the_name_of_who_gave_it(
    office: Office,
) -> None:
    call = await office.service.ring(HOLD)
    await call.reached("bot_said")
    async with office.somebody(Role.SUPERVISOR) as supervisor:
        for order, body in ORDERS.items():
            assert (
                await supervisor.post(f"/api/v1/calls/{call.call_id}/{order}", body)
            ).status == 202
    await office.service.over(call)
    given = office.service.record(call).instructions
    assert [each.kind for each in given] == ["say", "whisper", "mute_tools", "end_call"]
    assert {each.by for each in given} == {"token:supervisor"}


async def test_a_transfer_goes_to_a_named_target_alone(office: Office) -> None:
    call = await office.service.ring(HOLD)
    await call.reached("bot_said")
    path = f"/api/v1/calls/{call.call_id}/transfer"
    async with office.somebody(Role.SUPERVISOR) as supervisor:
        for target in ("nobody", "tel:+15550142", "sip:x@pbx.example.com"):
            answer = await supervisor.post(path, {"target": target})
            assert (answer.status, answer.detail) == (422, "target: the bot has no targets.")
    assert call.marks("refer") == []
    assert await office.audited("call.") == []


async def test_live_calls_are_listed_with_where_they_are(office: Office) -> None:
    call = await office.service.ring(HOLD)
    await call.reached("bot_said")
    writer = office.service.app.state.writer
    elsewhere: dict[str, Any] = {"ended_at": None, "phase": "live", "replica": "phone-1"}
    writer.take([call_fact("rtc_away", **elsewhere), call_fact("rtc_over")])
    assert await writer.settled(within=10)
    async with office.somebody(Role.SUPERVISOR) as supervisor:
        live = (await supervisor.get("/api/v1/calls/live")).body["items"]
        there = await supervisor.post("/api/v1/calls/rtc_away/say", ORDERS["say"])
        over = await supervisor.post("/api/v1/calls/rtc_over/say", ORDERS["say"])
        none = await supervisor.post("/api/v1/calls/rtc_none/say", ORDERS["say"])
    assert {each["call"]["call_id"]: each["here"] for each in live} == {
        call.call_id: True,
        "rtc_away": False,
    }
    assert (there.status, over.status, none.status) == (409, 409, 404)
    assert "phone-1" in there.detail
    assert await office.audited("call.") == []


@pytest.mark.parametrize("order", ORDERS)
async def test_a_viewer_commands_nothing(office: Office, order: str) -> None:
    async with office.somebody(Role.VIEWER) as viewer:
        answer = await viewer.post(f"/api/v1/calls/rtc_1/{order}", ORDERS[order])
    assert answer.status == 403
