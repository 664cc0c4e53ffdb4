"""Consent on whole calls: what is spoken first, what a refusal takes out, what a yes puts in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook import Disclosure, tool
from offhook.core.consent import Answer
from offhook.simulator import Call as CloudCall
from offhook.simulator import (
    CallsTools,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    WaitsFor,
)
from support.serving import GREETING, Service, asks, plain_bot, said, sent, serving

PROFILES = pytest.mark.parametrize("profile", ["openai", "azure"])
DISCLOSED = f"You are talking to an AI assistant. {GREETING}"
WORDS = "My name is Rosalind Roe."
ANSWER = "Nice to meet you, Rosalind."
LATER = "And I live in Elm Street."
REFUSES = CallsTools(("record_consent", {"answer": "no"}))
AGREES = CallsTools(("record_consent", {"answer": "yes"}))


def bot(policy: Any, **more: Any) -> Any:
    return plain_bot(consent=Disclosure(policy, version="7"), **more)


def transcription(call: CloudCall) -> list[Any]:
    """What the accept and each later update make of transcription."""
    accepted = call.marks("accept")[-1].detail["body"]
    updates = [body["session"] for body in sent(call, "session.update")]
    inputs = [each.get("audio", {}).get("input", {}) for each in (accepted, *updates)]
    return [
        each["transcription"] and each["transcription"]["model"]
        for each in inputs
        if "transcription" in each
    ]


def journals(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def texts(service: Service, call: CloudCall) -> list[str | None]:
    return [u.text for u in service.record(call).transcript]


def evidence(service: Service, call: CloudCall) -> list[Answer]:
    return [e.answer for e in service.record(call).consent.evidence]


@PROFILES
async def test_the_disclosure_is_spoken_first_in_one_breath_with_the_greeting(
    profile: Any,
) -> None:
    async with serving(bot("notice"), profile=profile) as service:
        call = await service.talk(Says("Hello?"), Hears("this is a test"), HangsUp())
        assert said(call)[0] == DISCLOSED
        assert asks(call) == ["greeting"]
        assert evidence(service, call) == [Answer.NOTICED]


@PROFILES
async def test_a_caller_who_speaks_over_it_hears_it_to_its_end_and_is_answered_then(
    profile: Any,
) -> None:
    async with serving(bot("notice"), profile=profile) as service:
        call = await service.talk(
            Says("Wait, I have a question.", over=True, after_ms=300),
            Hears("an answer"),
            HangsUp(),
            model=(Replies("Here is an answer."),),
        )
        assert [m.detail["interrupted"] for m in call.marks("bot_said")] == [False, False]
        assert said(call) == [DISCLOSED, "Here is an answer."]


@PROFILES
async def test_a_refusal_takes_all_words_out_of_the_call_and_the_log(profile: Any) -> None:
    model = (Replies(ANSWER), REFUSES, Replies("Noted."), Replies("Fine."))
    async with serving(bot("opt-out"), profile=profile, OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await service.talk(
            Hears(),
            Says(WORDS),
            Hears("Nice"),
            Says("Do not write this down."),
            Hears("Noted"),
            Says(LATER),
            Hears("Fine"),
            HangsUp(),
            model=model,
        )
        assert set(texts(service, call)) == {None}
        assert len(texts(service, call)) >= 6
        assert evidence(service, call) == [Answer.NOTICED, Answer.REFUSED]
        assert transcription(call) == ["gpt-realtime-whisper", None]
        told = service.log.of("consent", call_id=call.call_id)
        assert [(t["answer"], t["policy"], t["version"]) for t in told] == [
            ("noticed", "opt-out", "7"),
            ("refused", "opt-out", "7"),
        ]
        at = next(n for n, raw in enumerate(service.log.raw) if '"answer":"refused"' in raw
                  or '"answer": "refused"' in raw)  # fmt: skip
        after = "\n".join(service.log.raw[at:])
        assert LATER not in after
        assert "Fine." not in after


@PROFILES
async def test_with_opt_in_nothing_is_transcribed_or_kept_before_the_yes(profile: Any) -> None:
    model = (AGREES, Replies("Thank you."), Replies(ANSWER))
    async with serving(bot("opt-in"), profile=profile) as service:
        call = await service.talk(
            Hears(),
            Says("Yes."),
            Hears("Thank"),
            Says(WORDS),
            Hears("Nice"),
            HangsUp(),
            model=model,
        )
        assert transcription(call) == [None, "gpt-realtime-whisper"]
        assert texts(service, call)[:2] == [None, None]
        assert ANSWER in texts(service, call)
        assert evidence(service, call) == [Answer.NOTICED, Answer.GIVEN]


@PROFILES
async def test_with_opt_in_a_caller_who_says_neither_is_not_written_down(profile: Any) -> None:
    async with serving(bot("opt-in"), profile=profile, OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await service.talk(
            Hears(), Says(WORDS), Hears("Nice"), HangsUp(), model=(Replies(ANSWER),)
        )
        assert transcription(call) == [None]
        assert set(texts(service, call)) == {None}
        assert not any("Rosalind" in line for line in service.log.raw)


async def test_a_key_refuses() -> None:
    with_key = plain_bot(consent=Disclosure("opt-out", key="*"))
    async with serving(with_key) as service:
        call = await service.talk(Hears(), Presses("*"), Hears("no longer written"), HangsUp())
        assert evidence(service, call) == [Answer.NOTICED, Answer.REFUSED]
        assert transcription(call) == ["gpt-realtime-whisper", None]


async def test_a_refusal_is_told_to_a_new_sideband_too() -> None:
    async with serving(bot("opt-out")) as service:
        call = await service.talk(
            Hears(),
            Says("Do not write this down."),
            Hears("Noted"),
            LosesSideband(),
            WaitsFor("attach", 2),
            WaitsFor("client_event", 10),
            HangsUp(),
            model=(REFUSES, Replies("Noted.")),
        )
        assert transcription(call)[1:] == [None, None]


async def test_a_refused_call_leaves_no_journal(tmp_path: Path) -> None:
    folder = str(tmp_path)
    async with serving(bot("opt-out"), OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=folder) as service:
        await service.talk(
            Hears(), Says(WORDS), Hears("Noted"), HangsUp(), model=(REFUSES, Replies("Noted."))
        )
        await service.talk(Hears(), Says(WORDS), Hears(), HangsUp())
    [kept] = journals(tmp_path)
    assert "Rosalind" in kept.read_text("utf-8")


async def test_a_call_that_was_not_agreed_to_keeps_no_journal(tmp_path: Path) -> None:
    folder = str(tmp_path)
    async with serving(bot("opt-in"), OFFHOOK_JOURNAL="1", OFFHOOK_JOURNAL_DIR=folder) as service:
        await service.talk(
            Hears(), Says("Yes."), Hears("Thank"), HangsUp(), model=(AGREES, Replies("Thank you."))
        )
    assert journals(tmp_path) == []


async def test_what_a_tool_raises_is_not_logged_of_a_caller_who_refused() -> None:
    @tool
    async def breaks(name: str) -> str:
        """Break."""
        raise ValueError(f"no {name}")

    breaking = CallsTools(("breaks", {"name": "Rosalind"}))
    model = (REFUSES, Replies("Noted."), breaking, Replies("Oh."))
    steps = (Hears(), Says("No."), Hears("Noted"), Says("Break."), Hears("Oh"), HangsUp())
    async with serving(bot("opt-out", tools=[breaks])) as service:
        await service.talk(*steps, model=model)
        [error] = service.log.of("error", tool="breaks")
        assert error["error"] == ""
