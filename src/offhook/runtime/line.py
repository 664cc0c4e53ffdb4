"""What answers when it rings: a bot, a line and the settings, worked out once for all calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import Settings
from offhook.core import consent
from offhook.core.consent import Terms
from offhook.core.rules import Floor, Limits, Rules
from offhook.dialplan import Line as PlanLine
from offhook.errors import TargetError
from offhook.lines import someone
from offhook.realtime import requests
from offhook.realtime.requests import Request
from offhook.realtime.session import VOICE_AFTERWARDS, VOICE_IN_AUDIO, SessionConfig, TurnDetection
from offhook.tools import Toolbox

DEFAULT_TARGET = "default"
LONGEST_MIN = 60.0  # after which the clouds end a session themselves


class Line(Struct, frozen=True, kw_only=True):
    """All that the calls of one line share. Requests are encoded once, not per call.

    `plan` is what the file of lines says of it, with the settings where it says nothing.
    """

    plan: PlanLine
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


ONLY = PlanLine(name="default")


def make_line(bot: Bot, settings: Settings, plan: PlanLine = ONLY) -> Line:
    """Bring a bot, its line and the settings together.

    `SIP_TARGET_URI` becomes the target `default`. Raises `TargetError` if a target cannot be
    dialled.
    """
    plan = filled(plan, settings)
    bot = _on_line(bot, settings, plan)
    language = bot.language or settings.session.language
    terms = bot.terms(language)
    toolbox = bot.toolbox()
    config = session_config(bot, toolbox, settings)
    return Line(
        plan=plan,
        bot=bot,
        toolbox=toolbox,
        rules=Rules(
            lines=bot.lines(language),
            bot=bot.name,
            limits=_limits(settings, plan),
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


def _on_line(bot: Bot, settings: Settings, plan: PlanLine) -> Bot:
    """The bot as this line and the settings have it."""
    bot = bot.on_line(voice=plan.voice, language=plan.language, targets=plan.targets)
    if settings.phone.sip_target:
        label = someone(bot.language or settings.session.language)
        try:
            bot = bot.with_target(DEFAULT_TARGET, settings.phone.sip_target, label)
        except TargetError as error:
            raise TargetError(f"SIP_TARGET_URI: {error}") from None
    if settings.disclosure.consent is not None:
        bot = bot.with_consent(settings.disclosure.consent)
    return bot


def filled(plan: PlanLine, settings: Settings) -> PlanLine:
    """The line with the settings where it says nothing; blocked callers are blocked everywhere."""
    own = settings.admission
    known = {
        "calls_per_hour": plan.calls_per_hour or own.calls_per_hour,
        "blocked": (*plan.blocked, *(b for b in own.blocked if b not in plan.blocked)),
        "anonymous": own.anonymous == "accept" if plan.anonymous is None else plan.anonymous,
    }
    return replace(plan, **known)


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
        catch_up=settings.watchdogs.catch_up,
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


def _limits(settings: Settings, plan: PlanLine) -> Limits:
    limits, turns, phone = settings.limits, settings.turns, settings.phone
    idle = turns.idle_timeout_ms / 1000
    minutes = min(plan.max_call_minutes or limits.max_call_minutes, LONGEST_MIN)
    return Limits(
        ring=limits.ring_budget_ms / 1000,
        accept_try=limits.accept_timeout_ms / 1000,
        attach=limits.attach_budget_ms / 1000,
        greeting_delay=settings.session.greeting_delay_ms / 1000,
        call=minutes * 60,
        wrap_up=min(limits.wrap_up_s, minutes * 30),
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
