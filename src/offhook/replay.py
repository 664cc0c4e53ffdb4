"""`offhook replay`: steps a journal through today's code and shows where it decides otherwise.

The recorded events step today's call at the recorded times, so that one new decision does not
hide the next; the recorded frames and orders step today's surface in the same way.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.rules import Rules
from offhook.core.step import ring, step
from offhook.errors import UserError
from offhook.observe.redact import redact_value
from offhook.realtime import conversation, frames, hearing, surface
from offhook.realtime.session import SessionConfig
from offhook.realtime.surface import Out, Surface
from offhook.runtime.entries import VERSION, Entry, Kind, read, written

CAUSES = (Kind.RING, Kind.EVENT, Kind.FRAME, Kind.LINE)
_SHELL = (  # told by the shell; every other event is told by the surface
    on.Accepted | on.AcceptRefused | on.Rejected | on.RejectFailed | on.Attached | on.AttachFailed
    | on.SidebandLost | on.NothingHeard | on.ToolEnded | on.HookAnswered | on.Referred
    | on.ReferFailed | on.HungUp | on.HangUpFailed | on.ShutDown | on.TimeUp | on.Broke
    | on.Directed
)  # fmt: skip
_NUMBERED = re.compile(r"\[(\w+):\d+\]")


class JournalError(UserError):
    """A file that cannot be replayed. The text names it and says why."""


class Ring(Struct, frozen=True):
    """What the first line tells: all that the call's decisions depend on."""

    call_id: str
    clock: float
    rules: Rules
    config: SessionConfig
    response_limit: float
    journal: int = VERSION
    language: str = "en"
    epoch: float | None = None  # of before anything was made of it: as decided then
    caller: dict[str, str | None] = {}


class Journal(Struct, frozen=True):
    """A journal that was read. `lines` are numbered from 1, the ring among them."""

    ring: Ring
    lines: tuple[tuple[int, Entry], ...]

    @property
    def complete(self) -> bool:
        """Whether the call's end is in it."""
        return bool(self.lines) and self.lines[-1][1].kind is Kind.END


class Difference(Struct, frozen=True):
    """A place where today's code does something else. `line` is that of what caused it."""

    line: int
    t: float
    cause: str
    recorded: tuple[str, ...]
    today: tuple[str, ...]


def load(path: Path) -> Journal:
    """Read a journal. Raises `JournalError`."""
    try:
        raw = path.read_bytes().splitlines()
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from None
    decode = msgspec.json.Decoder(Entry).decode
    lines: list[tuple[int, Entry]] = []
    for number, text in enumerate(raw, 1):
        try:
            lines.append((number, decode(text)))
        except (msgspec.MsgspecError, UnicodeError):
            if number == len(raw) and lines:  # cut off where the process died
                break
            raise JournalError(f"{path}:{number}: this is no line of a journal") from None
    if not lines or lines[0][1].kind is not Kind.RING:
        raise JournalError(f"{path}: this is no journal: it does not begin with a ring")
    return Journal(_ring(path, lines[0][1].data), tuple(lines))


def _ring(path: Path, data: dict[str, Any]) -> Ring:
    if data.get("journal") != VERSION:
        raise JournalError(
            f"{path}: a journal of form {data.get('journal')!r}; this offhook reads form {VERSION}"
        )
    try:
        return msgspec.convert(data, Ring)
    except msgspec.ValidationError as error:
        raise JournalError(f"{path}:1: the ring does not fit this offhook: {error}") from None


def differences(journal: Journal) -> Iterator[Difference]:
    """Every place where today's code differs, in order. Raises `JournalError`."""
    player = Player(journal.ring)
    blocks = list(_blocks(journal.lines))
    for block in blocks if journal.complete else blocks[:-1]:  # the last one may be cut off
        number, cause = block[0]
        try:
            recorded, today = player.play(cause, [entry for _, entry in block[1:]])
        except ValueError as error:
            raise JournalError(f"line {number}: {error}") from None
        then, now = _without_common(recorded, today)
        if then or now:
            yield Difference(number, cause.t, brief(cause.data), tuple(then), tuple(now))
    if journal.complete and (more := player.untold()):
        number, last = journal.lines[-1]
        yield Difference(number, last.t, "the end", (), tuple(more))


def _blocks(lines: Iterable[tuple[int, Entry]]) -> Iterator[list[tuple[int, Entry]]]:
    """A cause with what came of it, each."""
    block: list[tuple[int, Entry]] = []
    for line in lines:
        if line[1].kind in (*CAUSES, Kind.END) and block:
            yield block
            block = []
        if line[1].kind is not Kind.END:
            block.append(line)
    if block:
        yield block


class Player:
    """Today's call and surface, stepped by what was recorded."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._call: Call
        self._surface = surface.begin(ring.config, ring.response_limit, ring.epoch)
        self._told: deque[on.Event] = deque()

    def play(self, cause: Entry, effects: list[Entry]) -> tuple[list[str], list[str]]:
        """What came of a cause when it was recorded, and what comes of it today."""
        now = self._ring.clock + cause.t
        recorded = [brief(effect.data) for effect in effects]
        today: list[str] = []
        try:
            match cause.kind:
                case Kind.RING | Kind.EVENT:
                    today += self._decide(cause, now)
                    for effect in effects:
                        if effect.kind is Kind.COMMAND:
                            order = read(effect.data)
                            today += self._change(conversation.perform, order, now=now)
                case Kind.FRAME:
                    frame = frames.decode(msgspec.json.encode(cause.data))
                    if isinstance(frame, frames.Frame):
                        today += self._change(hearing.receive, frame, now=now)
                case _:
                    today += self._line(cause.data, now)
        except ValueError:
            raise
        except Exception as error:  # what a replay is for
            today.append(f"today's code raises {type(error).__name__}: {error}")
        if cause.kind is Kind.EVENT:
            recorded[:0], today[:0] = self._telling(read(cause.data))
        return recorded, today

    def _decide(self, cause: Entry, now: float) -> list[str]:
        if cause.kind is Kind.RING:
            self._call, commands = ring(
                self._ring.call_id, self._ring.rules, now, language=self._ring.language
            )
        else:
            self._call, commands = step(self._call, read(cause.data), now)
        return [brief(written(command)) for command in commands]

    def _telling(self, event: on.Event) -> tuple[list[str], list[str]]:
        """Whether today's surface has told this event as well, and what else it has told."""
        if isinstance(event, _SHELL):
            return [], []
        text, told = brief(written(event)), [brief(written(each)) for each in self._told]
        if text not in told:
            return [f"told {text}"], []
        for _ in range(told.index(text) + 1):
            self._told.popleft()
        return [], [f"told {each}" for each in told[: told.index(text)]]

    def untold(self) -> list[str]:
        """What today's surface has told that nobody was told when it was recorded."""
        return [f"told {brief(written(event))}" for event in self._told]

    def _line(self, data: dict[str, Any], now: float) -> list[str]:
        match data:
            case {"now": "opened", "variant": int(variant)}:
                return self._change(conversation.opened, variant, now=now)
            case {"now": "lost"}:
                return self._change(conversation.lost, now=now)
            case {"now": "tick"}:
                return self._change(conversation.tick, now=now)
            case _:
                raise ValueError(f"this version of offhook knows no {data.get('now')!r} of a line")

    def _change(self, change: Callable[..., Surface], *what: object, now: float) -> list[str]:
        out = Out()
        self._surface = change(self._surface, *what, now, out)
        self._told += out.events
        return [brief(msgspec.json.decode(frame)) for frame in out.frames]


def _without_common(recorded: list[str], today: list[str]) -> tuple[list[str], list[str]]:
    """Nothing if both are the same. Commands go before frames in one and among them in the other,
    so each side is compared in the order of its own kind."""
    if _sorted(recorded) == _sorted(today):
        return [], []
    return recorded, today


def _sorted(lines: list[str]) -> list[str]:
    """Commands first, then frames, each in their order."""
    return sorted(lines, key=lambda line: not line.startswith("do."))


def brief(data: dict[str, Any]) -> str:
    """One line for what a line holds: `do.RunTool ref='call_1' name='lookup_order' ...`.

    Redacted once more, as today's code may word differently what was redacted piece by piece.
    """
    clean: Any = redact_value(data)
    name = clean.get("is") or clean.get("type") or clean.get("now") or "ring"
    rest = {key: value for key, value in clean.items() if key not in ("is", "type", "event_id")}
    if name == "ring":
        rest = {}
    text = " ".join([str(name), *(f"{key}={value!r}" for key, value in rest.items())])
    return _NUMBERED.sub(r"[\1]", text)


def replay(path: Path, out: Console) -> int:
    """Print all differences. Returns 0 if there are none, else 1. Raises `JournalError`."""
    journal = load(path)
    found = 0
    try:
        for each in differences(journal):
            found += 1
            _show(each, out)
    except JournalError as error:
        raise JournalError(f"{path}: {error}") from None
    if not journal.complete:
        out.print("The journal has no end: the process that wrote it was stopped.")
    lines = len(journal.lines)
    if found:
        out.print(f"[bold]{found} of its decisions[/] would be others today ({lines} lines).")
        return 1
    out.print(f"[green]Today's code decides the same[/] in all {lines} lines.")
    return 0


def _show(each: Difference, out: Console) -> None:
    out.print(f"[bold]line {each.line}[/], {each.t:.3f} s: {escape(each.cause)}", soft_wrap=True)
    for title, lines in (("recorded", each.recorded), ("today", each.today)):
        for line in lines or ("nothing",):
            out.print(f"  {title:<9} {escape(line)}", soft_wrap=True)
