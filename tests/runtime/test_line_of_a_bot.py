"""Bot and settings brought together: what the calls of a bot have in common."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import Bot
from offhook.config import load
from offhook.core.rules import Floor
from offhook.errors import TargetError
from offhook.runtime.line import Line, make_line
from offhook.telephony.targets import Target

REQUIRED = {"OPENAI_API_KEY": "sk-test", "OPENAI_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0"}


def line(bot: Bot | None = None, **env: str) -> Line:
    return make_line(bot or Bot("Be brief."), load(None, REQUIRED | env))


def test_settings_become_limits_in_seconds() -> None:
    limits = line(
        OFFHOOK_RING_BUDGET_MS="3000",
        OFFHOOK_ACCEPT_TIMEOUT_MS="1500",
        OFFHOOK_ATTACH_BUDGET_MS="7000",
        OFFHOOK_GREETING_DELAY_MS="250",
        OFFHOOK_MAX_CALL_MINUTES="30",
        OFFHOOK_WRAP_UP_S="45",
        OFFHOOK_ANNOUNCE_LIMIT_MS="6000",
        OFFHOOK_REFER_WATCH_S="9",
        OFFHOOK_GOODBYE_LIMIT_MS="5000",
        OFFHOOK_DTMF_GAP_MS="2500",
        OFFHOOK_DTMF_MAX="8",
        OFFHOOK_SILENCE_LIMIT="3",
    ).rules.limits
    assert (limits.ring, limits.accept_try, limits.attach) == (3.0, 1.5, 7.0)
    assert (limits.greeting_delay, limits.call, limits.wrap_up) == (0.25, 1800.0, 45.0)
    assert (limits.announce, limits.refer_watch, limits.goodbye) == (6.0, 9.0, 5.0)
    assert (limits.digit_gap, limits.digit_count, limits.silent_prompts) == (2.5, 8, 3)


@pytest.mark.parametrize(
    ("env", "silence"),
    [
        ({"OFFHOOK_IDLE_TIMEOUT_MS": "10000", "OFFHOOK_SILENCE_LIMIT": "2"}, 40.0),
        ({"OFFHOOK_IDLE_TIMEOUT_MS": "0"}, None),
    ],
)
def test_our_own_silence_is_longer_than_the_prompts_of_the_cloud(
    env: dict[str, Any], silence: float | None
) -> None:
    assert line(**env).rules.limits.silence == silence


def test_the_bot_wins_over_the_settings() -> None:
    bot = Bot("Be brief.", language="de", voice="cedar")
    made = line(bot, OFFHOOK_LANGUAGE="en", REALTIME_VOICE="marin")
    assert made.language == "de"
    assert made.config.voice == "cedar"
    assert made.config.transcription == {"model": "gpt-realtime-whisper", "language": "de"}
    assert "Guten Tag" in made.rules.lines.greeting


def test_a_setting_tells_the_language_that_callers_speak() -> None:
    made = line(OFFHOOK_TRANSCRIPTION_LANGUAGE="pt-BR")
    assert made.config.transcription == {"model": "gpt-realtime-whisper", "language": "pt"}


def test_targets_are_known_by_label_and_their_address_is_kept_apart() -> None:
    bot = Bot("Be brief.", targets={"sales": Target("sales", "tel:+14155550101", "our sales")})
    made = line(bot, SIP_TARGET_URI="tel:+14155550102")
    assert made.rules.targets == {"sales": "our sales", "default": "a colleague"}
    assert made.target_uri("sales") == "tel:+14155550101"
    assert made.target_uri("default") == "tel:+14155550102"


def test_the_target_of_the_settings_does_not_replace_one_of_the_bot() -> None:
    bot = Bot("Be brief.", targets={"default": "tel:+14155550101"})
    made = line(bot, SIP_TARGET_URI="tel:+14155550102")
    assert made.target_uri("default") == "tel:+14155550101"


def test_a_target_that_cannot_be_dialled_names_the_setting() -> None:
    with pytest.raises(TargetError, match="SIP_TARGET_URI"):
        line(SIP_TARGET_URI="tel:911")


@pytest.mark.parametrize(("barge_in", "floor"), [("1", Floor.OPEN), ("0", Floor.GUARDED)])
def test_the_greeting_has_the_floor_that_the_settings_give_it(barge_in: str, floor: Floor) -> None:
    made = line(OFFHOOK_GREETING_BARGE_IN=barge_in)
    assert made.config.floor is floor
    assert made.rules.greeting_floor is floor
