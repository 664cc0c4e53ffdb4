"""Journals: what is in them, what never is, and that nothing waits for them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import IO, Any

import pytest

from offhook import HangUp, tool
from offhook.core.call import Call
from offhook.runtime import journal
from offhook.runtime.veil import Veil
from offhook.simulator import CallsTools, HangsUp, Hears, Presses, Replies, Says
from support.serving import plain_bot, serving

PIN = "48213"


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def kinds(path: Path) -> list[str]:
    return [line["kind"] for line in lines(path)]


async def test_a_call_is_written_down_from_its_ring_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "when needed"
    async with serving(OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(folder)) as service:
        call = await service.talk(Hears(), Says("Hello?"), Hears(), HangsUp())
    (path,) = journals(folder)
    assert call.call_id in path.name
    found = kinds(path)
    assert found[0] == "ring"
    assert found[-1] == "end"
    assert {"frame", "line", "event", "command", "sent"} < set(found)
    assert lines(path)[-1]["data"]["reason"] == "caller_hung_up"
    assert all(set(line) == {"t", "kind", "data"} for line in lines(path))
    times = [line["t"] for line in lines(path)]
    assert times == sorted(times)
    assert path.stat().st_mode & 0o077 == 0


async def test_what_was_sent_and_decided_is_in_it(tmp_path: Path) -> None:
    async with serving(OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(tmp_path)) as service:
        call = await service.talk(Hears(), HangsUp())
    (path,) = journals(tmp_path)
    written = [line["data"]["type"] for line in lines(path) if line["kind"] == "sent"]
    got = [mark.detail["body"]["type"] for mark in call.marks("client_event")]
    assert written == got
    orders = [line["data"]["is"] for line in lines(path) if line["kind"] == "command"]
    assert orders[:3] == ["do.Accept", "do.Attach", "do.Say"]
    assert orders[-1] == "do.Finish"


async def test_no_file_is_written_unless_asked_for(tmp_path: Path) -> None:
    async with serving(OFFHOOK_JOURNAL_DIR=str(tmp_path)) as service:
        await service.talk(Hears(), HangsUp())
    assert journals(tmp_path) == []


@pytest.mark.parametrize(("bot", "setting", "count"), [(True, "0", 1), (False, "1", 0)])
async def test_a_bot_may_decide_for_itself(
    tmp_path: Path, bot: bool, setting: str, count: int
) -> None:
    async with serving(
        plain_bot(journal=bot), OFFHOOK_JOURNAL=setting, OFFHOOK_JOURNAL_DIR=str(tmp_path)
    ) as service:
        await service.talk(Hears(), HangsUp())
    assert len(journals(tmp_path)) == count


async def test_keys_numbers_and_targets_are_never_in_it(tmp_path: Path) -> None:
    @tool
    async def check_pin(pin: str) -> str:
        """Check the PIN."""
        return f"The PIN {pin} is right."

    bot = plain_bot(tools=[check_pin], targets={"desk": "tel:+14155550177"})

    @bot.on_digits
    async def typed(call: Call, digits: str) -> str:
        return f"The caller typed {' '.join(digits)}, that is {digits}."

    async with serving(bot, OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(tmp_path)) as service:
        await service.talk(
            Hears(),
            Presses(f"{PIN}#"),
            Hears(),
            Says("My number is +1 555 0142, mail ann@example.com."),
            Hears(),
            HangsUp(),
            model=(
                CallsTools(("check_pin", {"pin": PIN})),
                Replies(f"Your PIN is {PIN}."),
                Replies("I note +1 555 0142."),
            ),
        )
    (path,) = journals(tmp_path)
    text = path.read_text("utf-8")
    for secret in (PIN, " ".join(PIN), "5550142", "555 0142", "ann@example.com", "5550177", "Ann"):
        assert secret not in text, secret
    assert "[keys]" in text
    assert "[phone:1]" in text
    assert "You answer the phone" not in text
    presses = [d["data"]["event"] for d in lines(path) if "dtmf" in d["data"].get("type", "")]
    assert presses == ["0", "0", "0", "0", "0", "#"]


async def test_a_folder_that_cannot_be_written_is_told_once_and_calls_go_on(
    tmp_path: Path,
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", "utf-8")
    async with serving(OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(taken)) as service:
        for _ in range(2):
            call = await service.talk(Hears(), HangsUp())
            assert call.marks("bot_said")
        told = await service.log.reached("journals cannot be written")
    assert told["detail"] == "File exists"
    assert len(service.log.of("journals cannot be written")) == 1


async def test_what_a_tool_decided_is_in_it(tmp_path: Path) -> None:
    @tool
    async def leave() -> HangUp:
        """End the call."""
        return HangUp("done")

    async with serving(
        plain_bot(tools=[leave]), OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(tmp_path)
    ) as service:
        await service.talk(Hears(), Says("Bye"), model=[CallsTools(("leave", {}))])
    (path,) = journals(tmp_path)
    ended = [d["data"] for d in lines(path) if d["data"].get("is") == "on.ToolEnded"]
    assert ended[0]["outcome"] == {"is": "HangUp", "reason": "done", "goodbye": None}
    assert lines(path)[-1]["data"] == {"reason": "bot_hung_up", "detail": "done", "remark": ""}


async def test_a_call_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    created = journal._created

    def slow(path: Path) -> IO[bytes]:
        assert disk.wait(10)
        return created(path)

    monkeypatch.setattr(journal, "_created", slow)
    async with serving(OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=str(tmp_path)) as service:
        call = await service.talk(Hears(), Says("Hello?"), Hears(), HangsUp())
        assert len(call.marks("bot_said")) == 2
        assert journals(tmp_path) == []
        disk.set()
    (path,) = journals(tmp_path)
    assert kinds(path)[-1] == "end"


def test_what_is_named_like_a_secret_or_a_number_is_not_in_it() -> None:
    veil = Veil()
    data = {"type": "x", "client_secret": "abc", "metadata": {"+1 555 0142": "+1 555 0142"}}
    hidden = veil.over({**data, "session": {"instructions": "Be brief.", "voice": "marin"}})
    assert hidden["client_secret"] == "[secret]"
    assert hidden["session"] == {"voice": "marin"}
    assert "0142" not in str(hidden)


def test_ids_stay_as_they_are_so_that_frames_can_be_told_apart() -> None:
    ids = {"item_id": "item_4930231250011", "call_id": "+1 555 0142", "ref": "call_48213"}
    assert Veil().over(ids) == ids
