"""What must be true of a call, and whether it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from offhook.simulator.trace import Mark, Told
from offhook.simulator.wire import Json

End: TypeAlias = Literal[
    "caller_hung_up", "bot_hung_up", "transferred", "rejected", "unanswered", "expired", "lost"
]
_ENDS: dict[str, str] = {
    "hangup": "bot_hung_up",
    "no_answer": "unanswered",
    "sideband_dropped": "lost",
}
_WORD = re.compile(r"[^\W_]+")


class ToolMust(Struct, frozen=True, forbid_unknown_fields=True, rename={"with_": "with"}):
    """A tool that must have been called, `times` times if that is given.

    `with` holds arguments that one of its calls must have had; text is compared by its words.
    `answered` is something that its answer must contain.
    """

    called: str
    with_: Json = {}
    answered: str | None = None
    times: int | None = None


class Must(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What must be true in the end. A phrase is looked for by its words; `...` is a gap."""

    tools: tuple[ToolMust, ...] = ()
    never_called: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """What the caller must have heard of the bot, whole or up to where it was cut off."""
    never_said: tuple[str, ...] = ()
    in_order: tuple[str, ...] = ()
    """Pieces of the transcript's lines, in this order: `bot: ...`, `tool answers ...` and so on."""
    transferred_to: str | None = None
    ended: End | None = None
    recorded_as: str | None = None
    """The reason that the product itself has written down; only known where it runs here."""
    count: dict[str, int] = {}
    """How often something is in the trace: `accept`, `attach`, `refer`, `hangup`..."""
    greeting_within_ms: int | None = None
    answer_within_ms: int | None = None
    tool_within_ms: int | None = None
    over_within_s: float | None = None


def ended(call: Told) -> str | None:
    """How the call ended, in the words of a scenario; `None` while it goes on."""
    marks = call.marks("call_ended")
    if not marks:
        return None
    reason = str(marks[0].detail["reason"])
    return _ENDS.get(reason, reason)


def heard(call: Told) -> list[str]:
    """All that the caller heard of the bot, one response each."""
    return [str(mark.detail["text"]) for mark in call.marks("bot_said")]


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in a text, side by side but for each `...`."""
    words = f" {' '.join(_WORD.findall(text.casefold()))} "
    at = 0
    for part in phrase.casefold().split("..."):
        wanted = f" {' '.join(_WORD.findall(part))} "
        if not wanted.strip():
            continue
        found = words.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted) - 1
    return True


def untrue(
    must: Must, call: Told, *, speed: float = 1.0, recorded_as: str | None = None
) -> list[str]:
    """Everything that should hold and does not, a line each.

    Times are compared as they passed on the clock, so that a fast simulation never fails for
    time that only the simulation took; run at speed 1 to measure.
    """
    return [
        *_always(call),
        *(line for tool in must.tools for line in _tool(tool, call)),
        *_words(must, call),
        *_outcome(must, call, recorded_as),
        *_times(must, call, speed),
    ]


def _always(call: Told) -> Iterator[str]:
    """What is true of every good call, whatever it is about."""
    if not call.over:
        yield "the call has not ended"
    for mark in call.marks("script_stuck"):
        yield f"the caller waited in vain for {mark.detail['waiting_for']}"
    if sum(mark.detail["status"] == 200 for mark in call.marks("accept")) > 1:
        yield "the call was accepted more than once"
    answers = [mark.detail["call_id"] for mark in call.marks("tool_answered")]
    for mark in call.marks("tool_asked"):
        name, times = mark.detail["name"], answers.count(mark.detail["call_id"])
        later = sum(said.at > mark.at for said in call.marks("caller_said"))
        if times > 1:
            yield f"a call of {name} was answered {times} times"
        if times == 0 and later > 1:
            yield f"a call of {name} was never answered"
    for mark in call.marks("refer"):
        target = str(mark.detail["target_uri"])
        if any(target in str(sent.detail) for sent in call.marks("client_event")):
            yield "the address of the transfer was told to the model"


def _tool(must: ToolMust, call: Told) -> Iterator[str]:
    asked = [mark for mark in call.marks("tool_asked") if mark.detail["name"] == must.called]
    fitting = [mark for mark in asked if arguments_fit(must.with_, mark)]
    with_ = f" with {json.dumps(must.with_, ensure_ascii=False)}" if must.with_ else ""
    if not fitting and must.times != 0:
        calls = "; ".join(str(mark.detail["arguments"]) for mark in asked)
        yield f"{must.called} was not called{with_}" + (f", only with {calls}" if calls else "")
        return
    if must.times is not None and len(fitting) != must.times:
        yield f"{must.called} was called {len(fitting)} times{with_}, not {must.times}"
    if must.answered is not None:
        ids = {mark.detail["call_id"] for mark in fitting}
        answers = [m.detail["output"] for m in call.marks("tool_answered")
                   if m.detail["call_id"] in ids]  # fmt: skip
        if not any(must.answered.casefold() in answer.casefold() for answer in answers):
            yield f"{must.called} did not answer {must.answered!r}, but {answers}"


def arguments_fit(wanted: Json, asked: Mark) -> bool:
    """Whether a function call has these arguments among its own; text is compared by its words."""
    try:
        given = json.loads(asked.detail["arguments"] or "{}")
    except ValueError:
        return False
    return isinstance(given, dict) and all(
        name in given and _same(value, given[name]) for name, value in wanted.items()
    )


def _same(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        return "".join(_WORD.findall(wanted.casefold())) == "".join(_WORD.findall(given.casefold()))
    return bool(wanted == given)


def _words(must: Must, call: Told) -> Iterator[str]:
    spoken = heard(call)
    for phrase in must.said:
        if not any(has_phrase(text, phrase) for text in spoken):
            yield f"the bot never said {phrase!r}"
    for phrase in must.never_said:
        for text in spoken:
            if has_phrase(text, phrase):
                yield f"the bot said {phrase!r}: {text}"
    for name in must.never_called:
        if any(mark.detail["name"] == name for mark in call.marks("tool_asked")):
            yield f"{name} was called"
    lines = iter(call.transcript().splitlines())
    for piece in must.in_order:
        if not any(has_phrase(line, piece) for line in lines):
            yield f"nothing like {piece!r} where it should come in the transcript"
            return


def _outcome(must: Must, call: Told, recorded_as: str | None) -> Iterator[str]:
    if must.ended is not None and call.over and ended(call) != must.ended:
        yield f"the call ended as {ended(call)}, not as {must.ended}"
    if must.recorded_as is not None and recorded_as not in (None, must.recorded_as):
        yield f"the call is on record as {recorded_as}, not as {must.recorded_as}"
    if must.transferred_to is not None:
        targets = [mark.detail["target_uri"] for mark in call.marks("refer")]
        if must.transferred_to not in targets:
            yield f"no transfer went to {must.transferred_to}" + (
                f", but to {', '.join(map(str, targets))}" if targets else ""
            )
    for kind, times in must.count.items():
        found = len(call.marks(kind))
        if found != times:
            yield f"{kind} happened {found} times, not {times}"


def _times(must: Must, call: Told, speed: float) -> Iterator[str]:
    def late(what: str, took: float, limit_ms: float | None) -> Iterator[str]:
        if limit_ms is not None and took / speed * 1000 > limit_ms:
            yield f"{what} took {took / speed * 1000:.0f} ms, not {limit_ms:g} at most"

    heard_at = [mark.at for mark in call.marks("bot_audio_started")]
    if must.greeting_within_ms is not None and not heard_at:
        yield "there was no greeting"
    yield from late("the greeting", min(heard_at, default=0.0), must.greeting_within_ms)
    for took in answer_times(call):
        yield from late("an answer", took, must.answer_within_ms)
    asked = {mark.detail["call_id"]: mark.at for mark in call.marks("tool_asked")}
    for mark in call.marks("tool_answered"):
        took = mark.at - asked.get(mark.detail["call_id"], mark.at)
        yield from late("a tool", took, must.tool_within_ms)
    over = max((mark.at for mark in call.marks("call_ended")), default=0.0)
    limit = None if must.over_within_s is None else must.over_within_s * 1000
    yield from late("the call", over, limit)


def answer_times(call: Told) -> list[float]:
    """Simulated seconds from the end of each thing the caller said to the bot's voice."""
    turns = [mark for mark in call.trace if mark.kind in ("caller_said", "bot_audio_started")]
    return [
        after.at - before.at
        for before, after in pairwise(turns)
        if before.kind == "caller_said" and after.kind == "bot_audio_started"
    ]
