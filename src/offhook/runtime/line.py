"""What answers when it rings: a bot and the settings, worked out once for all its calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from offhook.bot import Bot
from offhook.config import Settings
from offhook.core import consent
from offhook.core.consent import Terms
from offhook.core.rules import Floor, Limits, Rules
from offhook.errors import TargetError
from offhook.lines import someone
from offhook.realtime import requests
from offhook.realtime.requests import Request
from offhook.realtime.session import VOICE_AFTERWARDS, VOICE_IN_AUDIO, SessionConfig, TurnDetection
from offhook.tools import Toolbox

DEFAULT_TARGET = "default"


class Line(Struct, frozen=True, kw_only=True):
    """All that the calls of one bot share. Requests are encoded once, not per call."""

    bot: Bot
    toolbox: Toolbox
    rules: Rules
    config: SessionConfig
    accepts: dict[int, Request]
    language: str
    no_event: float
    response_limit: float
    tool_timeout: float
    region: str | None = None
    journals: Path | None = None  # the folder, if calls keep a journal

    def target_uri(self, name: str) -> str:
        """The URI behind a target's name; it never leaves for the model or a log."""
        return self.bot.targets[name].uri


def make_line(bot: Bot, settings: Settings) -> Line:
    """Bring a bot and the settings together.

    `SIP_TARGET_URI` becomes the target `default`. Raises `TargetError` if it cannot be dialled.
    """
    language = bot.language or settings.session.language
    if settings.phone.sip_target:
        label = someone(language)
        try:
            bot = bot.with_target(DEFAULT_TARGET, settings.phone.sip_target, label)
        except TargetError as error:
            raise TargetError(f"SIP_TARGET_URI: {error}") from None
    if settings.disclosure.consent is not None:
        bot = bot.with_consent(settings.disclosure.consent)
    terms = bot.terms(language)
    toolbox = bot.toolbox()
    config = session_config(bot, toolbox, settings)
    return Line(
        bot=bot,
        toolbox=toolbox,
        rules=Rules(
            lines=bot.lines(language),
            limits=_limits(settings),
            targets={n: t.label or n for n, t in bot.targets.items()},
            reject_code=settings.limits.reject_code,
            greeting_floor=config.floor,
            terms=terms,
        ),
        config=config,
        accepts={v: requests.accept(config, v) for v in (VOICE_IN_AUDIO, VOICE_AFTERWARDS)},
        language=language,
        no_event=settings.limits.no_event_s,
        response_limit=settings.limits.response_limit_s,
        tool_timeout=settings.limits.tool_timeout_s,
        region=settings.phone.default_region,
        journals=_journals(bot, settings),
    )


def _journals(bot: Bot, settings: Settings) -> Path | None:
    wanted = settings.logs.journal if bot.journal is None else bot.journal
    return Path(settings.logs.journal_dir) if wanted else None


def session_config(bot: Bot, toolbox: Toolbox, settings: Settings) -> SessionConfig:
    """The Realtime session of this bot's calls."""
    session, turns = settings.session, settings.turns
    terms = bot.terms(bot.language or session.language)
    transcription: dict[str, Any] | None = None
    if session.transcription_model:
        language = session.transcription_language or bot.language or session.language
        transcription = {"model": session.transcription_model, "language": language.split("-")[0]}
    server = turns.vad == "server"
    return SessionConfig(
        model=settings.cloud.model,
        instructions=bot.instructions,
        voice=bot.voice or session.voice,
        tools=toolbox.definitions,
        turns=TurnDetection(
            kind=turns.vad,
            manual=turns.owner == "manual",
            interrupt=turns.interrupt,
            threshold=turns.threshold if server else None,
            silence_ms=turns.silence_ms if server else None,
            prefix_ms=turns.prefix_ms if server else None,
            idle_timeout_ms=turns.idle_ms,
            eagerness=turns.eagerness if not server else None,
        ),
        transcription=transcription,
        transcribe=consent.begin(terms).keeping,
        noise_reduction=session.noise_reduction,
        retention_ratio=session.retention_ratio,
        reasoning_effort=session.reasoning_effort,
        floor=_opening_floor(terms, settings),
    )


def _opening_floor(terms: Terms | None, settings: Settings) -> Floor:
    """What the caller's voice may do until the greeting was heard.

    Terms come before all else. A floor that is only guarded would have the cloud answer a
    "Hello?" first; it is guarded as soon as the terms are being heard.
    """
    if terms is not None:
        return Floor.HELD
    return Floor.OPEN if settings.session.greeting_barge_in else Floor.GUARDED


def _limits(settings: Settings) -> Limits:
    limits, turns, phone = settings.limits, settings.turns, settings.phone
    idle = turns.idle_timeout_ms / 1000
    return Limits(
        ring=limits.ring_budget_ms / 1000,
        accept_try=limits.accept_timeout_ms / 1000,
        attach=limits.attach_budget_ms / 1000,
        greeting_delay=settings.session.greeting_delay_ms / 1000,
        call=limits.max_call_minutes * 60,
        wrap_up=limits.wrap_up_s,
        announce=limits.announce_limit_ms / 1000,
        refer_watch=limits.refer_watch_s,
        goodbye=limits.goodbye_limit_ms / 1000,
        # Our own clock only speaks up where the cloud's prompts have not come.
        silence=idle * (turns.silence_limit + 1) + 10 if idle else None,
        silent_prompts=turns.silence_limit,
        filler=settings.watchdogs.filler_s,
        digit_gap=phone.dtmf_gap_ms / 1000,
        digit_count=phone.dtmf_max,
    )
