"""A simulated call told as a story, step by step, for a person at a terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from offhook.simulator import Mark
from offhook.simulator.trace import Told

SHOWN = 100  # characters of a tool's answer


async def tell(call: Told, caller: str, speed: float, out: Console) -> None:
    """Print each step with its real time since the ring, until the call is over."""
    greeted = False
    async for mark in call.follow():
        if mark.kind == "bot_audio_started" and not greeted:
            greeted = True
            text: str | None = "[dim]the greeting is heard[/]"
        else:
            text = sentence(mark, caller)
        if text:
            out.print(line(mark, text, speed), soft_wrap=True)
        if mark.kind == "call_ended":
            return


def whole(call: Told, caller: str, speed: float) -> list[str]:
    """All steps so far, as lines of rich's markup."""
    told = ((mark, sentence(mark, caller)) for mark in call.trace)
    return [line(mark, text, speed) for mark, text in told if text]


def plain(call: Told, caller: str, speed: float) -> str:
    """All steps so far as plain text."""
    return "\n".join(Text.from_markup(each).plain for each in whole(call, caller, speed))


def line(mark: Mark, text: str, speed: float) -> str:
    """A step with its time; that of the simulation where it runs as fast as it can."""
    passed = mark.at if math.isinf(speed) else mark.at / speed
    return f"{passed * 1000:8.0f} ms  {text}"


def sentence(mark: Mark, caller: str) -> str | None:
    """One step in words; `None` for what is of no interest to a reader."""
    d = mark.detail
    match mark.kind:
        case "ring":
            return f"[dim]{escape(caller)} calls; the cloud posts the signed webhook[/]"
        case "webhook_answered":
            return f"[dim]the webhook is answered {d['status']}[/]"
        case "accept" | "reject" | "attach" | "refer" | "hangup" | "detach":
            return _request(mark)
        case "caller_said":
            return f"[green]{escape(caller)}:[/] {escape(d['text'])}"
        case "caller_pressed":
            return f"[green]{escape(caller)}[/] presses {escape(d['digit'])}"
        case "bot_said":
            cut = " [yellow](cut off)[/]" if d["interrupted"] else ""
            return f"[blue]Bot:[/] {escape(d['text'])}{cut}"
        case "tool_asked":
            return f"[magenta]tool[/] {escape(d['name'])} {escape(d['arguments'])}"
        case "tool_answered":
            return f"[magenta]answer[/] {escape(d['output'][:SHOWN])}"
        case "bot_audio_cleared":
            return f"[dim]{escape(caller)} cuts in, the bot is silent[/]"
        case "caller_hung_up":
            return f"[dim]{escape(caller)} hangs up[/]"
        case "error_sent":
            return f"[dim]the cloud complains: {escape(str(d['code']))}[/]"
        case "script_stuck":
            return f"[red]{escape(caller)} waits in vain for {escape(str(d['waiting_for']))}[/]"
        case "call_ended":
            return f"[dim]the call is over: {escape(str(d['reason']))}[/]"
        case _:
            return None


def _request(mark: Mark) -> str:
    """What the bot's side asked of the cloud."""
    d = mark.detail
    match mark.kind:
        case "accept" if d["status"] is None:
            return "[dim]the accept is never answered[/]"
        case "accept" if d["status"] != 200:
            return f"[yellow]the accept is refused ({d['status']})[/]"
        case "accept":
            return f"[dim]the call is accepted ({d['status']})[/]"
        case "reject":
            return f"[dim]the call is rejected ({d['status_code']})[/]"
        case "attach":
            return "[dim]the sideband is attached[/]"
        case "detach":
            return f"[dim]the sideband is gone ({d['code']})[/]"
        case "refer":
            return f"[dim]SIP REFER to {escape(str(d['target_uri']))} ({d['status']})[/]"
        case _:
            return "[dim]the bot hangs up[/]"
