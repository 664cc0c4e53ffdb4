"""The lines that the settings and the file of lines give, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from offhook.bot import Bot
from offhook.config import Settings
from offhook.config.kinds import LANGUAGE, NAME, Language, Name
from offhook.dialplan import DialPlan, read_plan
from offhook.dialplan import Line as PlanLine
from offhook.errors import BotError, TargetError
from offhook.loading import load_bot
from offhook.runtime.line import ONLY, Line, make_line
from offhook.telephony.targets import parse_target

_KINDS = {"voice": (TypeAdapter(Name), NAME), "language": (TypeAdapter(Language), LANGUAGE)}


class Planned(Struct, frozen=True):
    """The plan, and its lines by name."""

    plan: DialPlan
    lines: dict[str, Line]


class Planner:
    """Makes lines. `bot` answers where a line names none; a bot that is named is loaded once."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        own = settings.admission.lines
        self.path = Path(own) if own is not None else None
        self._bot = bot
        self._settings = settings
        self._bots: dict[str, Bot] = {}

    def read(self) -> Planned:
        """Read and check everything. Raises `PlanError` with all that is wrong."""
        if self.path is None:
            lines = {ONLY.name: make_line(self._bot, self._settings)}
            return _planned(DialPlan((ONLY,)), lines)
        lines = {}

        def check(plan: PlanLine) -> Iterator[tuple[str, str]]:
            wrong = list(self._wrong(plan))
            if not wrong:
                line = make_line(self._bot_of(plan), self._settings, plan)
                wrong = list(_no_target(plan, line))
                lines[plan.name] = line
            yield from wrong

        return _planned(read_plan(self.path, check), lines)

    def _wrong(self, plan: PlanLine) -> Iterator[tuple[str, str]]:
        """What of a line nobody but us can check."""
        try:
            self._bot_of(plan)
        except BotError as error:
            yield "bot", str(error)
        for key, (kind, accepts) in _KINDS.items():
            if (value := getattr(plan, key)) is None:
                continue
            try:
                kind.validate_python(value)
            except ValidationError:
                yield key, f"must be {accepts}"
        for name, uri in plan.targets.items():
            try:
                parse_target(name, uri)
            except TargetError as error:
                yield "targets", str(error)

    def _bot_of(self, plan: PlanLine) -> Bot:
        if plan.bot is None:
            return self._bot
        if plan.bot not in self._bots:
            self._bots[plan.bot] = load_bot(plan.bot)
        return self._bots[plan.bot]


def _planned(plan: DialPlan, lines: dict[str, Line]) -> Planned:
    return Planned(replace(plan, lines=tuple(line.plan for line in lines.values())), lines)


def _no_target(plan: PlanLine, line: Line) -> Iterator[tuple[str, str]]:
    wanted, known = plan.when_closed, line.rules.targets
    if wanted is not None and wanted not in known:
        there = f"there are: {', '.join(known)}" if known else "it has none"
        yield "when_closed", f"{wanted!r} is no target of the line; {there}"
