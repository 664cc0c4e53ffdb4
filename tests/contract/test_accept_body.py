"""What we send, held against the openai package's own types, with no key that they do not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from openai.types.realtime import CallReferParams, CallRejectParams
from pydantic import ValidationError

from offhook import Bot, tool
from offhook.config import load
from offhook.core import call
from offhook.core.rules import Floor
from offhook.realtime import requests, sends
from offhook.realtime.session import SessionConfig
from offhook.runtime.line import make_line
from offhook.shop import make_bot
from support.openai_types import ACCEPT, CLIENT_EVENT, SESSION, strictly, without_nulls

REQUIRED = {"OPENAI_API_KEY": "sk-test", "OPENAI_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0"}


@tool
async def weather(city: str, days: int = 1, unit: str | None = None) -> str:
    """Tell the weather of a city."""
    return f"{city} {days} {unit}"


@tool
async def remember(call: call.Call, notes: dict[str, list[str]]) -> None:
    """Write down notes."""


def a_bot(**more: Any) -> Bot:
    return Bot("Be brief.", **{"tools": [weather, remember], **more})


SETTINGS = {
    "default": {},
    "manual": {"OFFHOOK_TURNS": "manual"},
    "semantic": {"OFFHOOK_VAD": "semantic", "OFFHOOK_VAD_EAGERNESS": "high"},
    "semantic, cloud's eagerness": {"OFFHOOK_VAD": "semantic"},
    "tuned server": {
        "OFFHOOK_VAD_THRESHOLD": "0.6",
        "OFFHOOK_VAD_SILENCE_MS": "700",
        "OFFHOOK_VAD_PREFIX_MS": "200",
    },
    "no idle prompts": {"OFFHOOK_IDLE_TIMEOUT_MS": "0"},
    "nobody cuts in": {"OFFHOOK_INTERRUPT": "0"},
    "nobody cuts in on the greeting": {"OFFHOOK_GREETING_BARGE_IN": "0"},
    "no transcription": {"OFFHOOK_TRANSCRIPTION_MODEL": "off"},
    "another transcription": {
        "OFFHOOK_TRANSCRIPTION_MODEL": "gpt-4o-transcribe",
        "OFFHOOK_TRANSCRIPTION_LANGUAGE": "de",
    },
    "own voice": {"REALTIME_VOICE": "voice_abc123"},
    "reasoning": {"OFFHOOK_REASONING_EFFORT": "low"},
    "no filter": {"OFFHOOK_NOISE_REDUCTION": "off"},
    "near field": {"OFFHOOK_NOISE_REDUCTION": "near_field"},
    "cloud cuts the context": {"OFFHOOK_RETENTION_RATIO": "auto"},
    "azure": {
        "OPENAI_BASE": "https://my-resource.openai.azure.com",
        "REALTIME_MODEL": "my-deployment",
    },
    "transfer": {"SIP_TARGET_URI": "tel:+14155550100"},
    "german": {"OFFHOOK_LANGUAGE": "de-AT"},
}
BOTS: dict[str, Callable[[], Bot]] = {
    "plain": lambda: Bot("Be brief."),
    "tools": a_bot,
    "targets": lambda: a_bot(targets={"sales": "tel:+14155550101", "support": "sip:a@example.com"}),
    "shop": lambda: make_bot("en"),
}


def line(env: dict[str, str], bot: Bot) -> Any:
    return make_line(bot, load(None, REQUIRED | env))


@pytest.mark.parametrize("variant", [0, 1])
@pytest.mark.parametrize("bot", BOTS.values(), ids=BOTS.keys())
@pytest.mark.parametrize("env", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_accept_is_what_the_openai_package_would_send(
    env: dict[str, str], bot: Callable[[], Bot], variant: int
) -> None:
    body = json.loads(line(env, bot()).accepts[variant].body)
    ACCEPT.validate_python(without_nulls(body), strict=True)
    SESSION.validate_python(without_nulls(body), strict=True)
    assert "turn_detection" in body["audio"]["input"]


@pytest.mark.parametrize("env", SETTINGS.values(), ids=SETTINGS.keys())
@pytest.mark.parametrize("floor", Floor)
def test_every_change_of_the_floor_is_a_client_event(env: dict[str, str], floor: Floor) -> None:
    frame = json.loads(sends.set_floor(line(env, a_bot()).config, floor))
    CLIENT_EVENT.validate_python(without_nulls(frame), strict=True)


CONFIG = SessionConfig(model="gpt-realtime", instructions="Be brief.", voice="marin")
FRAMES = {
    "response.create": sends.create_response("greeting", 1, ordered=True),
    "response.create (free)": sends.create_response("tools", 2, ordered=False),
    "conversation.item.create": sends.order(1, "Say hello."),
    "conversation.item.create (output)": sends.tool_output("call_1", '{"ok":true}'),
    "conversation.item.delete": sends.take_back(1),
    "response.cancel": sends.cancel("resp_1"),
    "response.cancel (any)": sends.cancel(None),
    "output_audio_buffer.clear": sends.clear_audio(),
    "session.update": sends.set_voice(CONFIG),
    "session.update (own voice)": sends.set_voice(msgspec.structs.replace(CONFIG, voice="voice_1")),
}


@pytest.mark.parametrize(("name", "frame"), FRAMES.items(), ids=FRAMES.keys())
def test_every_client_event_is_one_of_the_openai_package(name: str, frame: bytes) -> None:
    event = json.loads(frame)
    assert event["type"] == name.split(" ", maxsplit=1)[0]
    CLIENT_EVENT.validate_python(event, strict=True)


def test_the_old_name_of_the_voice_is_the_only_thing_that_the_package_does_not_know() -> None:
    event = json.loads(sends.set_voice_the_old_way(CONFIG))
    with pytest.raises(ValidationError):
        CLIENT_EVENT.validate_python(event, strict=True)
    del event["session"]["voice"]
    CLIENT_EVENT.validate_python(event, strict=True)


def test_refer_and_reject_are_what_the_openai_package_would_send() -> None:
    refer = json.loads(requests.refer("tel:+14155550100").body or b"")
    strictly(CallReferParams).validate_python(refer, strict=True)
    reject = json.loads(requests.reject(486).body or b"")
    strictly(CallRejectParams).validate_python(reject, strict=True)


@pytest.mark.parametrize(
    "change",
    [
        {"voice": "marin"},
        {"audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}}},
        {"audio": {"output": {"voice": {"name": "x"}}}},
        {"tools": [{"type": "function", "strict": True, "name": "f"}]},
        {"truncation": {"type": "retention_ratio"}},
    ],
)
def test_the_check_itself_sees_what_is_wrong(change: dict[str, Any]) -> None:
    body = json.loads(line({}, a_bot()).accepts[0].body)
    with pytest.raises(ValidationError):
        ACCEPT.validate_python(body | change, strict=True)


def test_what_the_caller_of_the_model_must_not_see_is_not_in_the_accept() -> None:
    env = {"SIP_TARGET_URI": "tel:+14155550199"}
    bot = a_bot(targets={"sales": "sip:agent@trunk.example.com"})
    body = line(env, bot).accepts[0].body
    assert b"5550199" not in body
    assert b"trunk.example.com" not in body
    assert b'"default"' in body
