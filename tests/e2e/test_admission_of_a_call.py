"""Each refusal as the cloud sees it and as the record tells it; reloads and outages in between."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from offhook.simulator import Call, Faults, HangsUp, Hears, Replies, Says, Script
from offhook.store import schema
from offhook.store.database import Database
from offhook.store.switches import Switch, write_switch
from support.records import rows, the_call
from support.serving import GREETING, Service, order_of, plain_bot, said, serving

SHOP = "+493023125000"
OFFICE = "+493023125010"
WITHHELD = {"caller": None}


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with which records are kept."""
    return {"OFFHOOK_DATABASE_URL": database_url, "OFFHOOK_SPOOL_DIR": str(tmp_path / "spool")}


def file_of_lines(tmp_path: Path, text: str) -> str:
    path = tmp_path / "lines.toml"
    path.write_text(text, "utf-8")
    return str(path)


def shop(*rows: str) -> str:
    return "\n".join(['[lines.shop]\nnumbers = ["*"]', *rows])


CLOSED = ("timezone = 'Europe/Berlin'", "hours = []")
NIGHT = (*CLOSED, "targets = { night = 'tel:+493023125098' }", "when_closed = 'night'")


async def refused(service: Service, code: int, reason: str, **options: Any) -> Call:
    """One more call, which is rejected with this code, and ends for this reason."""
    call = await service.ring(**options)
    line = await service.ended(call)
    assert [mark.detail["status_code"] for mark in call.marks("reject")] == [code]
    assert order_of(call, "accept", "attach", "reject", "hangup") == ["reject"]
    assert line["reason"] == reason
    assert service.counted("offhook_calls_refused_total", reason=reason) >= 1
    return call


@pytest.mark.parametrize(
    ("code", "reason", "fault", "lines", "options", "settings"),
    [
        (404, "no_line", "configuration", "[lines.a]\nnumbers=['112']", {}, {}),
        (603, "blocked", "caller", shop("blocked = ['+1555*']"), {}, {}),
        (603, "blocked", "caller", "", {}, {"OFFHOOK_BLOCKED": "+15550142"}),
        (433, "anonymous", "caller", shop("anonymous = false"), WITHHELD, {}),
        (480, "closed", "caller", shop(*CLOSED), {}, {}),
        (486, "closed", "caller", shop(*CLOSED), {}, {"OFFHOOK_CLOSED_CODE": "486"}),
    ],
)
async def test_a_refusal_has_its_code_on_the_wire_and_its_reason_on_record(
    tmp_path: Path,
    code: int,
    reason: str,
    fault: str,
    lines: str,
    options: dict[str, Any],
    settings: dict[str, str],
) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite3'}"
    more: dict[str, Any] = {"OFFHOOK_DATABASE_URL": url, **settings}
    if lines:
        more["OFFHOOK_LINES"] = file_of_lines(tmp_path, lines)
    async with serving(**more) as service:
        call = await refused(service, code, reason, **options)
    database = Database(url)
    row = await the_call(database, call.call_id)
    await database.close()
    assert (row["phase"], row["reason"], row["fault"]) == ("ended", reason, fault)
    assert row["detail"]
    assert row["accepted_at"] is None


async def test_a_line_that_is_full_rejects_and_takes_calls_again_when_one_ends(
    tmp_path: Path,
) -> None:
    lines = file_of_lines(tmp_path, shop("capacity = 1"))
    async with serving(OFFHOOK_LINES=lines) as service:
        first = await service.ring(Script(steps=(Hears(),)))
        await first.reached("bot_said")
        await refused(service, 503, "over_capacity")
        first.caller_hangs_up()
        await service.over(first)
        await service.talk(Hears(), HangsUp())


async def test_what_is_reserved_for_a_line_is_kept_free_for_it(tmp_path: Path) -> None:
    text = f"[lines.shop]\nnumbers=['{SHOP}']\nreserved=1\n[lines.rest]\nnumbers=['*']\n"
    lines = file_of_lines(tmp_path, text)
    async with serving(OFFHOOK_LINES=lines, OFFHOOK_MAX_CALLS="2") as service:
        rest = await service.ring(Script(steps=(Hears(),)), called=OFFICE)
        await rest.reached("bot_said")
        await refused(service, 503, "over_capacity", called=OFFICE)
        await service.talk(Hears(), HangsUp(), called=SHOP)


async def test_a_number_that_calls_too_often_is_busy_and_others_are_not() -> None:
    async with serving(OFFHOOK_CALLS_PER_HOUR="2") as service:
        for _ in range(2):
            await service.talk(Hears(), HangsUp())
        await refused(service, 486, "too_many_calls")
        await service.talk(Hears(), HangsUp(), caller="+15550166")


async def test_callers_are_counted_across_lives_of_the_process(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(OFFHOOK_CALLS_PER_HOUR="1", **env) as service:
        await service.talk(Hears(), HangsUp())
    async with serving(OFFHOOK_CALLS_PER_HOUR="1", **env) as service:
        await refused(service, 486, "too_many_calls")


async def test_minutes_of_a_day_run_out(env: dict[str, Any], database: Database) -> None:
    async with serving(OFFHOOK_DAILY_MINUTES="1", **env) as service:
        service.app.state.gate.admission.quotas.talked(1.5, 100.0, "default")
        call = await refused(service, 503, "over_minutes")
    assert (await the_call(database, call.call_id))["fault"] == "configuration"


async def test_out_of_hours_a_call_goes_to_the_night_desk_without_a_word_of_the_bot(
    env: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    lines = file_of_lines(tmp_path, shop(*NIGHT))
    async with serving(OFFHOOK_LINES=lines, **env) as service:
        call = await service.ring()
        await service.over(call)
        (mark,) = call.marks("refer")
        assert mark.detail["target_uri"] == "tel:+493023125098"
        assert said(call) == []
        assert service.counted("offhook_calls_forwarded_total", reason="closed") == 1
        assert service.counted("offhook_webhook_deliveries_total", result="forwarded") == 1
    row = await the_call(database, call.call_id)
    assert (row["reason"], row["target"], row["line"]) == ("transferred", "night", "shop")
    (transfer,) = await rows(database, schema.transfers, call_id=call.call_id)
    assert transfer["reason"] == "closed"


async def test_the_line_its_number_and_its_bot_are_on_record(
    env: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    bot = tmp_path / "bikes_bot.py"
    bot.write_text("from offhook import Bot\nbot = Bot('Sell bikes.', name='bikes')\n", "utf-8")
    text = f"[lines.bikes]\nnumbers=['{OFFICE}']\nbot='{bot}'\n[lines.shop]\nnumbers=['*']\n"
    async with serving(OFFHOOK_LINES=file_of_lines(tmp_path, text), **env) as service:
        call = await service.talk(Hears(), HangsUp(), called=OFFICE)
        (line,) = service.log.of("ended", call_id=call.call_id)
        assert (line["line"], line["bot"]) == ("bikes", "bikes")
    row = await the_call(database, call.call_id)
    assert (row["line"], row["called"], row["bot"]) == ("bikes", OFFICE, "bikes")


# Reloads


async def test_a_reload_leaves_live_calls_alone_and_holds_for_new_ones(tmp_path: Path) -> None:
    lines = file_of_lines(tmp_path, shop("targets = { a = 'tel:+493023125001' }"))
    async with serving(OFFHOOK_LINES=lines) as service:
        script = Script(steps=(Hears(), Says("Hi"), Hears("here"), HangsUp()), model=(HERE,))
        live = await service.ring(script)
        await live.reached("bot_said")
        file_of_lines(tmp_path, shop("targets = { b = 'tel:+493023125002' }"))
        await service.log.reached("lines read")
        new = await service.talk(Hears(), HangsUp())
        assert service.record(new).targets == ("b",)
        file_of_lines(tmp_path, shop("targets = { b = 'tel:1' }"))
        wrong = await service.log.reached("lines refused, the old ones stay")
        assert wrong["line_number"] == 3
        await service.over(live)
        assert service.record(live).targets == ("a",)
        last = await service.talk(Hears(), HangsUp())
        assert service.record(last).targets == ("b",)


HERE = Replies("I am here.")


async def test_a_hangup_signal_reads_the_file_again(tmp_path: Path) -> None:
    async with serving(OFFHOOK_LINES=file_of_lines(tmp_path, shop())) as service:
        signal.raise_signal(signal.SIGHUP)
        await service.log.reached("lines read")
        assert service.counted("offhook_lines_reloads_total", result="taken") == 1


# Outage mode


async def ready(service: Service) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{service.url}/readyz") as response,
    ):
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


async def test_the_switch_in_the_database_is_obeyed_within_seconds(
    env: dict[str, Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.runtime.lookout.LOOK_S", 0.05)
    async with serving(**env) as service:
        await service.talk(Hears(), HangsUp())
        now = round(time.time() * 1000)
        await write_switch(database, Switch(on=True, since=now, by="ann"))
        await service.log.reached("outage mode by switch", on=True)
        call = await refused(service, 503, "outage")
        assert await ready(service) == {"ready": True, "concerns": ["outage"]}
        await write_switch(database, Switch(on=False, since=now, by="ann"))
        await service.log.reached("outage mode by switch", on=False)
        await service.talk(Hears(), HangsUp())
    row = await the_call(database, call.call_id)
    assert (row["fault"], row["detail"]) == ("cloud", "switched on by ann")


async def test_in_outage_mode_calls_may_be_transferred_at_once() -> None:
    bot = plain_bot(targets={"support": "tel:+493023125001"})
    async with serving(bot, OFFHOOK_OUTAGE_POLICY="transfer") as service:
        service.app.state.gate.admission.outage.put(Switch(on=True))
        call = await service.ring()
        assert (await service.over(call))["reason"] == "transferred"
        assert said(call) == []
        assert service.counted("offhook_calls_forwarded_total", reason="outage") == 1


async def test_repeated_failures_of_the_cloud_begin_outage_mode_and_its_return_ends_it() -> None:
    faults = Faults(accept_status=(503,) * 100)
    async with serving(
        faults=faults,
        OFFHOOK_OUTAGE_FAILURES="3",
        OFFHOOK_RING_BUDGET_MS="500",
        OFFHOOK_ACCEPT_TIMEOUT_MS="500",
    ) as service:
        first = await service.ring()
        assert (await service.ended(first))["reason"] == "accept_failed"
        begun = await service.log.reached("outage mode begins")
        assert begun["why"].startswith("accept:")
        await refused(service, 503, "outage")
        assert service.counted("offhook_outage_mode") == 1
        outage = service.app.state.gate.admission.outage
        outage.breaker = replace(outage.breaker, until=0.0)  # the rest is over
        trial = await service.ring(
            Script(steps=(Hears(), HangsUp())), faults=Faults(), caller="+15550166"
        )
        await service.over(trial)
        assert said(trial) == [GREETING]
        await service.log.reached("outage mode ends: the model has spoken")
        await service.talk(Hears(), HangsUp(), faults=Faults())


# Dead air


async def test_a_model_that_is_silent_after_a_turn_is_asked_and_it_is_counted(
    env: dict[str, Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.realtime.floor.OWED_S", 0.3)
    async with serving(faults=Faults(unanswered_turns=1), **env) as service:
        call = await service.talk(Hears(), Says("Hello?"), Hears("here"), HangsUp(), model=(HERE,))
        assert service.counted("offhook_replies_missing_total") == 1
        assert service.log.of("the model is silent: asked for an answer", call_id=call.call_id)
    kinds = [row["kind"] for row in await rows(database, schema.moments, call_id=call.call_id)]
    assert "reply_missing" in kinds


async def test_turns_that_nobody_puts_into_words_are_a_concern_and_calls_go_on() -> None:
    steps = [step for n in range(5) for step in (Says(f"Number {n}"), Hears("here"))]
    async with serving(faults=Faults(transcription="none")) as service:
        await service.talk(Hears(), *steps, HangsUp(), model=(HERE,) * 5)
        assert service.counted("offhook_transcripts_missing_total") == 1
        assert await ready(service) == {"ready": True, "concerns": ["transcripts"]}
