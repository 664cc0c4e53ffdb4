"""What a log must never hold, sought for in every line of a whole call; and what it must."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from offhook import Bot, Call, tool
from offhook.simulator import (
    DEFAULT_SECRET,
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
)
from offhook.simulator import Call as CloudCall
from support.serving import CALLER, GREETING, Service, plain_bot, said, serving

API_KEY = "sk-proj-hunter2hunter2hunter2"
TARGET = "tel:+14155550188"
SAID = (
    "My number is +1 555 010 0177 and my e-mail is jane.roe@example.com, okay?",
    "The card is 4111 1111 1111 1111, okay?",
    "I can spell it: four one one one, one one one one, okay?",
    "Meine Nummer ist null eins fünf eins, zwei drei vier fünf, ja?",
    "You can write to jane dot roe at example dot com, okay?",
    "The order is ACME-10023, okay?",
)
CANARIES = (
    "5550142",  # the caller's number, as the network tells it
    "Rosalind",  # the name that the network tells with it
    "0100177",
    "jane",
    "41111111",
    "four one",
    "null eins",
    "5550188",
    "example.com",
    "4711820653",  # keys
    API_KEY,
    "hunter2",
    DEFAULT_SECRET,
    DEFAULT_SECRET.removeprefix("whsec_")[:20],
)


def bot() -> Bot:
    """A bot whose tools get, return and break on personal data."""

    @tool
    async def call_back(phone: str, note: str) -> dict[str, str]:
        """Book a callback."""
        return {"phone": phone, "note": note}

    @tool
    async def breaks(phone: str) -> str:
        """Break on a number."""
        raise ValueError(f"no such customer: {phone}, jane.roe@example.com")

    made = plain_bot(tools=[call_back, breaks], targets={"human": TARGET})

    @made.on_digits
    async def digits(call: Call, digits: str) -> str:
        return 'Say "I have got your entry."'

    return made


MODEL = (
    CallsTools(("call_back", {"phone": "+1 555 010 0177", "note": "order ACME-10023"})),
    Replies(from_tool="I call +1 555 010 0177 or write to jane.roe@example.com."),
    CallsTools(("breaks", {"phone": "+15550100177"})),
    CallsTools(("call_back", {"phone": "+15550100177", "telephone": "+15550100177"})),
    CallsTools(("handoff_human", {"target": "tel:+14155550188", "reason": "x"})),
    Replies("Something went astray, I apologize."),
)


async def whole_call(service: Service) -> CloudCall:
    """A call on which all that is personal is said, typed and worked with."""
    steps: list[Any] = [Hears(), Presses("4711820653#"), Hears()]
    for words in SAID:
        steps += [Says(words), Hears()]
    call = await service.ring(
        Script(steps=(*steps, HangsUp()), model=MODEL),
        caller_name="Rosalind Roe",
        headers=[("P-Asserted-Identity", f'"Rosalind Roe" <sip:{CALLER}@trunk.example.com>')],
    )
    await call.finished()
    async with asyncio.timeout(5):
        await service.switchboard.idle()
    return call


def bare(text: str) -> str:
    """Without what is put between digits."""
    return re.sub(r"(?<=\d)[\s().-]+(?=\d)", "", text)


def betrayed(raw: list[str]) -> list[tuple[str, str]]:
    """Each canary that sings, and where."""
    return [
        (canary, line)
        for line in raw
        for canary in CANARIES
        if canary.lower() in line.lower() or canary.lower() in bare(line).lower()
    ]


@pytest.mark.parametrize("log_format", ["json", "pretty"])
@pytest.mark.parametrize("transcripts", ["1", "0"])
@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_nothing_personal_and_no_secret_is_in_any_line_of_a_call(
    log_format: str, transcripts: str, profile: Any
) -> None:
    async with serving(
        bot(),
        profile=profile,
        log_format=log_format,
        speed=150.0,
        OFFHOOK_LOG_TRANSCRIPTS=transcripts,
    ) as service:
        call = await whole_call(service)
        assert any("jane.roe@example.com" in text for text in said(call))
        assert len(service.log.raw) > 15
        assert betrayed(service.log.raw) == []
        assert any(call.call_id in line for line in service.log.raw)


async def test_with_transcripts_the_words_are_there_and_what_is_harmless_is_readable() -> None:
    async with serving(bot(), OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await whole_call(service)
        text = "\n".join(service.log.raw)
        assert "My number is [phone] and my e-mail is [email], okay?" in text
        assert "The card is [card], okay?" in text
        assert "ACME-10023" in text
        assert GREETING in text
        for line in service.log.of("transcript"):
            assert line["call_id"] == call.call_id
            assert line["who"] in ("caller", "bot")


async def test_without_transcripts_no_spoken_word_is_in_the_log() -> None:
    async with serving(bot()) as service:
        call = await whole_call(service)
        text = "\n".join(service.log.raw)
        words = {w for t in (*SAID, *said(call)) for w in re.findall(r"[a-zäöüß]{6,}", t.lower())}
        assert {"spell", "nummer", "apologize"} & words >= {"nummer", "apologize"}
        assert {w for w in words if re.search(rf"\b{w}\b", text.lower())} == set()
        lines = service.log.of("transcript")
        assert len(lines) >= len(SAID)
        assert all("text" not in line and line["characters"] > 0 for line in lines)


async def test_the_ids_that_a_carrier_asks_for_are_readable() -> None:
    async with serving() as service:
        call = await service.talk(
            Hears(), HangsUp(), headers=[("X-Twilio-CallSid", "CA" + "0123456789abcdef" * 2)]
        )
        (line,) = service.log.of("received")
        assert line["call_id"] == call.call_id
        assert ("CA" + "0123456789abcdef" * 2) in json.dumps(line)


async def test_a_caller_who_withholds_the_number_is_served_and_known_to_nobody() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp(), caller=None, caller_name=None)
        assert said(call) == [GREETING]
        assert service.log.of("received")[0]["caller"] is None
        assert service.record(call).caller.number is None


async def test_the_key_is_not_in_the_log_when_the_cloud_refuses_it() -> None:
    async with serving(OPENAI_API_KEY=API_KEY, limits={"hang_up": 0.2}) as service:
        call = await service.ring()
        await service.ended(call)
        assert betrayed(service.log.raw) == []


async def test_a_refused_webhook_says_nothing_of_its_body() -> None:
    faults = Faults(webhook_secret="whsec_" + "b3RoZXItc2VjcmV0" * 3, webhook_retries=0)
    async with serving() as service:
        await service.ring(faults=faults, caller_name="Rosalind Roe")
        assert service.log.of("refused")
        assert betrayed(service.log.raw) == []


async def test_a_bug_on_a_call_logs_no_words_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.core import records

    note = records.note

    def breaks(call: Call, event: Any, now: float) -> Any:
        if "okay" in getattr(event, "text", ""):
            raise ValueError(f"cannot take {event.text}")
        return note(call, event, now)

    monkeypatch.setattr(records, "note", breaks)
    async with serving(tolerate=["bug"]) as service:
        call = await service.ring(Script(steps=(Hears(), Says(SAID[0]))))
        await service.over(call)
        assert betrayed(service.log.raw) == []


async def test_no_line_is_written_per_delta() -> None:
    async with serving() as service:
        long = Replies("And one more word. " * 30)
        call = await service.talk(Hears(), Says("Go on."), Hears(), HangsUp(), model=(long,))
        frames = call._stage.sent
        assert frames > 150
        assert len(service.log.raw) < 20
