"""`offhook call --talk`: a phone in the terminal. A person types what the caller says."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterable

from rich.console import Console
from rich.markup import escape

from offhook.calling import introduce
from offhook.rehearsal import Rehearsal
from offhook.simulator import Call, HangsUp, Hears, Mark, Presses, Says
from offhook.simulator.scenario import by_hand

TICK_S = 0.05
SPOKEN_S = 0.6  # who types has waited long enough: each sentence is short on the line
KEYS = "0123456789*#ABCD"
BYE = ("/bye", "/quit", "/hangup")
HELP = """\
Type what the caller says. While the bot speaks, that cuts in.
/1 2 3 #  press keys      !words  say it over the bot      /bye  hang up"""


async def talk(stage: Rehearsal, out: Console, lines: AsyncIterator[str] | None = None) -> int:
    """One call, with a person as the caller. `lines` are what is typed, by default on stdin.

    Where nobody is at the keyboard, each line waits until the bot has finished.
    """
    waits = not sys.stdin.isatty() or lines is not None
    async with stage:
        introduce(stage, out)
        out.print(f"[dim]{escape(HELP)}[/]")
        ear = Ear(out, stage.speed)
        hand: list[asyncio.Task[None]] = []

        async def watch(call: Call) -> None:
            said = lines if lines is not None else typed()
            hand.append(asyncio.create_task(_types(call, said, ear, waits=waits)))
            await ear.listen(call)

        scenario = by_hand("talk")
        try:
            played = await stage.play(scenario, watch, patience_s=3600.0)
        finally:
            for task in hand:
                task.cancel()
        return 0 if played.held else 1


async def _types(call: Call, lines: AsyncIterator[str], ear: Ear, *, waits: bool) -> None:
    """Let the caller do what is typed; at the end of the input the caller hangs up."""
    async for line in lines:
        if complaint := unknown(line.strip()):
            ear.line(f"[yellow]{escape(complaint)}[/]")
            continue
        for step in steps(line.strip(), waits=waits):
            call.do(step)
        if call.over:
            return
    if waits:
        call.do(Hears())
    call.do(HangsUp())


def steps(line: str, *, waits: bool) -> Iterable[Says | Presses | HangsUp | Hears]:
    """What one line of input makes the caller do."""
    first = [Hears()] if waits else []
    match line[:1]:
        case "":
            return []
        case "/" if line in BYE:
            return [*first, HangsUp()]
        case "/":
            return [*first, Presses("".join(c for c in line.upper() if c in KEYS))]
        case "!":
            return [Says(line[1:].strip(), over=waits, after_ms=400 if waits else 0)]
    return [*first, Says(line, seconds=SPOKEN_S)]


def unknown(line: str) -> str:
    """What to say of a command that does not exist; empty for everything else."""
    keys = line.removeprefix("/").replace(" ", "").upper()
    if not line.startswith("/") or line in BYE or (keys and set(keys) <= set(KEYS)):
        return ""
    return f"There is no {line}. There are: /1 2 # (press these keys), {', '.join(BYE)}."


async def typed() -> AsyncIterator[str]:
    """Lines from the keyboard. A thread reads them, as nothing else can without stopping us."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="keyboard").start()
    while (line := await queue.get()) is not None:
        yield line


class Ear:
    """Prints what the caller hears, word by word as it is spoken, and how long each turn took."""

    def __init__(self, out: Console, speed: float) -> None:
        self._out = out
        self._speed = speed
        self._shown = ""
        self._within_a_line = False
        self._asked_at: float | None = None

    async def listen(self, call: Call) -> None:
        """Print until the call is over."""
        speaking = asyncio.create_task(self._follows_speech(call))
        try:
            async for mark in call.follow():
                self._tells(mark)
        finally:
            speaking.cancel()

    async def _follows_speech(self, call: Call) -> None:
        while True:
            self._shows(call.audible)
            await asyncio.sleep(TICK_S)

    def _shows(self, heard: str) -> None:
        """Add the words that are new since the last look."""
        if not heard.startswith(self._shown) or len(heard) == len(self._shown):
            return
        words = heard[len(self._shown) :]
        if not self._within_a_line:
            self._out.print("[blue]Bot:[/] ", end="")
            words = words.lstrip()
        self._out.print(escape(words), end="", soft_wrap=True)
        self._out.file.flush()
        self._shown, self._within_a_line = heard, True

    def _ends(self, mark: Mark) -> None:
        """The bot has stopped: the rest of its words, and whether it was cut off."""
        self._shows(mark.detail["text"])
        if self._within_a_line:
            self._out.print(" [yellow](cut off)[/]" if mark.detail["interrupted"] else "")
        self._shown, self._within_a_line = "", False

    def line(self, markup: str) -> None:
        """A line of its own, even while the bot speaks."""
        if self._within_a_line:
            self._out.print()
            self._within_a_line = False
        self._out.print(markup, soft_wrap=True)

    def _tells(self, mark: Mark) -> None:
        d = mark.detail
        match mark.kind:
            case "ring":
                self._asked_at = mark.at
            case "caller_said":
                self._asked_at = mark.at
                self.line(f"[green]You:[/] {escape(d['text'])}")
            case "caller_pressed":
                self.line(f"[green]You press[/] {escape(d['digit'])}")
            case "bot_audio_started" if self._asked_at is not None:
                took = (mark.at - self._asked_at) / self._speed * 1000
                self._asked_at = None
                self.line(f"[dim]after {took:.0f} ms[/]")
            case "bot_said":
                self._ends(mark)
            case "tool_asked":
                self.line(f"[magenta]tool[/] {escape(d['name'])} {escape(d['arguments'])}")
            case "refer":
                self.line(f"[dim]transfer to {escape(str(d['target_uri']))}[/]")
            case "call_ended":
                self.line(f"[dim]the call is over: {escape(str(d['reason']))}[/]")
