"""What a user writes: who the bot is, what it can do, and to whom it can hand a caller.

from offhook import Bot, tool

@tool
async def opening_hours() -> str:
    \"\"\"Tell when the shop is open.\"\"\"
    return "Monday to Friday, 9 to 17"

bot = Bot(
    "You answer the phone of a bicycle shop. Be brief and friendly.",
    greeting="Hello, this is the AI assistant of Miller's Bicycles. How can I help?",
    tools=[opening_hours],
    targets={"workshop": "tel:+493023125001"},
)
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from msgspec.structs import replace

from offhook.core.call import Call
from offhook.core.consent import Terms
from offhook.core.consenting import TOOL as CONSENT_TOOL
from offhook.core.outcomes import Consented, HangUp, Transfer
from offhook.core.rules import Lines, exactly
from offhook.disclosure import Disclosure, PolicyName
from offhook.errors import BotError, TargetError
from offhook.lines import how_can_i_help, lines_for
from offhook.telephony.targets import Target, parse_target
from offhook.tools import Tool, Toolbox, tool

Reaction: TypeAlias = str | Transfer | HangUp | Consented | None
KeyHook: TypeAlias = Callable[[Call, str], Awaitable[Reaction]]


class Bot:
    """A bot that answers the phone.

    `instructions` is the prompt of the whole call. `greeting` are the exact words that open it.
    `language` is a tag such as `de`; without one `OFFHOOK_LANGUAGE` decides.
    `targets` maps a name that the model may choose to a `tel:` or `sip:` URI that it never
    sees, or to a `Target` with a label that callers hear. `lines` replaces single standard
    sentences: `Bot(..., lines={"goodbye": "Bye now!"})`. `journal` turns the journals of its
    calls on or off, whatever `OFFHOOK_JOURNAL` says. `consent` is what callers are told first: a
    `Disclosure` or its policy alone, unless `OFFHOOK_CONSENT` says another.

    Raises `BotError` (and its kinds `ToolError`, `TargetError`) when something in it cannot
    work, at once and not when the phone rings.
    """

    def __init__(
        self,
        instructions: str,
        *,
        greeting: str | None = None,
        name: str = "bot",
        language: str | None = None,
        voice: str | None = None,
        tools: Sequence[Tool] = (),
        targets: Mapping[str, str | Target] | None = None,
        lines: Mapping[str, str] | None = None,
        may_hang_up: bool = True,
        journal: bool | None = None,
        consent: Disclosure | PolicyName | None = None,
    ) -> None:
        if not instructions.strip():
            raise BotError("A bot needs instructions: say in a few sentences who it is.")
        self.instructions = instructions
        self.name = name
        self.language = language
        self.voice = voice
        self.tools = tuple(tools)
        self.may_hang_up = may_hang_up
        self.journal = journal
        self.disclosure = _disclosure(consent)
        self._words = {**(lines or {}), **({"greeting": greeting} if greeting else {})}
        _check_lines(self._words)
        self.targets = _targets(targets or {})
        self._on_digit: KeyHook | None = None
        self._on_digits: KeyHook | None = None
        self.toolbox()  # so that a name given twice is reported here

    def on_dtmf(self, hook: KeyHook) -> KeyHook:
        """Decorator: call `hook(call, key)` for each key that the caller presses.

        `key` is one of `0`-`9`, `*`, `#`, `A`-`D`. The hook returns an order to the model
        ("The caller pressed 1: ..."), a `Transfer`, a `HangUp` or `None`.
        """
        _check_hook(hook)
        self._on_digit = hook
        return hook

    def on_digits(self, hook: KeyHook) -> KeyHook:
        """Decorator: call `hook(call, digits)` for each complete entry.

        An entry ends with `#` or after a pause, and `*` starts it again. Returns as `on_dtmf`.
        """
        _check_hook(hook)
        self._on_digits = hook
        return hook

    async def key_pressed(self, call: Call, key: str) -> Reaction:
        """What the bot makes of one key."""
        return await self._on_digit(call, key) if self._on_digit else None

    async def digits_entered(self, call: Call, digits: str) -> Reaction:
        """What the bot makes of a complete entry."""
        return await self._on_digits(call, digits) if self._on_digits else None

    def with_target(self, name: str, uri: str, label: str = "") -> Bot:
        """The same bot with one more target, unless it has one of that name."""
        if name in self.targets:
            return self
        return self._twin(targets={**self.targets, name: parse_target(name, uri, label)})

    def on_line(
        self, *, voice: str | None, language: str | None, targets: Mapping[str, str]
    ) -> Bot:
        """The same bot as a line has it: what the line names goes before the bot's own.

        A target keeps the label that the bot gives to its name. Raises `TargetError`.
        """
        if voice is None and language is None and not targets:
            return self
        labels = {name: target.label for name, target in self.targets.items()}
        own = {n: parse_target(n, uri, labels.get(n, "")) for n, uri in targets.items()}
        return self._twin(
            voice=voice or self.voice,
            language=language or self.language,
            targets={**self.targets, **own},
        )

    def with_consent(self, policy: PolicyName) -> Bot:
        """The same bot with another policy. Texts of its own are for the policy they came with."""
        if self.disclosure is not None and self.disclosure.policy == policy:
            return self
        return self._twin(disclosure=Disclosure(policy))

    def _twin(self, **changes: object) -> Bot:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, **changes)
        return twin

    def terms(self, language: str) -> Terms | None:
        """What callers are told before all else, if anything."""
        return None if self.disclosure is None else self.disclosure.terms(language)

    def lines(self, language: str) -> Lines:
        """What the model is told to say where offhook decides to speak; the bot's own words win.

        The disclosure and the greeting are one sentence to the model, since two would cost the
        caller a second pause.
        """
        language = self.language or language
        own = {k: exactly(v) for k, v in self._words.items()}
        if (terms := self.terms(language)) is not None:
            greeting = self._words.get("greeting") or how_can_i_help(language)
            own["greeting"] = exactly(f"{terms.text} {greeting}")
        return replace(lines_for(language), **own)

    def toolbox(self) -> Toolbox:
        """All tools that the model is offered: the bot's own and the built-in ones."""
        built_in: list[Tool] = []
        if self.targets:
            built_in.append(_handoff(tuple(self.targets)))
        if self.may_hang_up:
            built_in.append(end_call)
        if self.disclosure is not None and self.disclosure.asks:
            built_in.append(record_consent)
        own = {t.name for t in self.tools}
        return Toolbox((*self.tools, *(t for t in built_in if t.name not in own)))


def _check_lines(words: Mapping[str, str]) -> None:
    unknown = set(words) - set(Lines.__struct_fields__)
    if unknown:
        known = ", ".join(Lines.__struct_fields__)
        raise BotError(f"Unknown lines: {', '.join(sorted(unknown))}. There are: {known}.")


def _disclosure(consent: Disclosure | PolicyName | None) -> Disclosure | None:
    return Disclosure(consent) if isinstance(consent, str) else consent


def _targets(given: Mapping[str, str | Target]) -> dict[str, Target]:
    """All targets, checked. Raises `TargetError` with every problem there is."""
    found: dict[str, Target] = {}
    problems: list[str] = []
    for name, target in given.items():
        try:
            found[name] = _target(name, target)
        except TargetError as error:
            problems.append(str(error))
    if problems:
        raise TargetError("\n".join(problems))
    return found


def _target(name: str, target: str | Target) -> Target:
    if isinstance(target, Target):
        return parse_target(name, target.uri, target.label)
    return parse_target(name, target)


def _check_hook(hook: object) -> None:
    if not inspect.iscoroutinefunction(hook):
        raise BotError(f"{getattr(hook, '__name__', hook)} must be an async def function.")


def _handoff(names: tuple[str, ...]) -> Tool:
    """The tool that hands over to a human; the model only ever sees the targets' names."""
    Name: Any = Literal[names]  # noqa: N806  # a type made of the bot's own names

    async def handoff_human(target: Any, reason: str) -> Transfer:
        """Hand the caller to a human. Use it when the caller asks for a person, or when you
        cannot help. Do not announce it yourself: the caller is told."""
        return Transfer(target, reason)

    handoff_human.__annotations__ = {
        "target": Annotated[Name, "Whom to hand over to."],
        "reason": Annotated[str, "Why, in a few words."],
        "return": Transfer,
    }
    return tool(handoff_human)


@tool
async def end_call(reason: Annotated[str, "Why, in a few words."]) -> HangUp:
    """End the call. Use it only after the caller has said goodbye or wants nothing more. Do not
    say goodbye yourself: that is done for you."""
    return HangUp(reason)


@tool(name=CONSENT_TOOL)
async def record_consent(
    answer: Annotated[Literal["yes", "no"], "yes: the caller agrees. no: the caller refuses."],
) -> Consented:
    """Record whether the caller agrees that this conversation is written down. Use it at once
    when the caller says yes or no to that, at any time of the call; never guess the answer."""
    return Consented(answer == "yes")
