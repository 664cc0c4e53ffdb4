"""`offhook demo`: the server and a simulated cloud on this machine, and three calls as stories.

Nothing is faked between the two: the webhook is signed and checked, and every request, frame and
answer goes over real sockets on loopback. Caller and model follow a script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhook._version import __version__
from offhook.observe.logs import configure
from offhook.observe.metrics import Metrics
from offhook.rehearsal import TARGET, serving
from offhook.simulator import (
    Call,
    CallsTools,
    HangsUp,
    Hears,
    Replies,
    Says,
    Script,
    Simulator,
)
from offhook.story import tell

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Scene:
    """One call of the demo, and what must be true of it in the end."""

    title: str
    caller: str
    number: str
    script: Script
    ends: str
    must: Sequence[tuple[str, Callable[[Call], bool]]]


def order_story(outputs: list[Any]) -> str:
    """What a model would make of the tool's answer."""
    order = outputs[-1]
    item = order["items"][0]["name"]
    status, day = order["status"].replace("_", " "), order.get("expected_on") or "soon"
    return f"Your {item} is {status}; you can expect it on {day}. Anything else?"


def stock_story(outputs: list[Any]) -> str:
    """The same for a question about stock."""
    best = outputs[-1]["others"][0]
    return f"Yes. {best['store']} has {best['quantity']} of them today."


SCENES = (
    Scene(
        "An order is looked up",
        "Ann",
        "+493023125001",
        Script(
            "order",
            steps=(Hears(), Says("Where is my order ACME 12345?"), Hears(), Says("No, thanks.")),
            model=(
                CallsTools(("lookup_order", {"order_number": "acme 12345"})),
                Replies(from_tool=order_story),
                CallsTools(("end_call", {"reason": "the caller wants nothing more"})),
            ),
        ),
        "bot_hung_up",
        (
            ("the order was looked up and found", lambda c: '"result":"order"' in outputs(c)),
            ("the caller heard about it", lambda c: "Kettle Classic" in said(c)),
            ("the goodbye came before the hang-up", lambda c: in_order(c, "bot_said", "hangup")),
        ),
    ),
    Scene(
        "The caller cuts in and asks about stock",
        "Ben",
        "+493023125002",
        Script(
            "stock",
            steps=(
                Hears(),
                Says("What do you sell?"),
                Says("Sorry, just tell me: is the Kettle Glass in stock?", over=True, after_ms=900),
                Hears(),
                HangsUp(),
            ),
            model=(
                Replies(
                    "We sell kettles, toasters, coffee machines, lamps, radios, garden tools, "
                    "and a great many other things for your home."
                ),
                CallsTools(("check_inventory", {"product": "Kettle Glass"})),
                Replies(from_tool=stock_story),
            ),
        ),
        "caller_hung_up",
        (
            (
                "the bot stopped when the caller cut in",
                lambda c: bool(c.marks("bot_audio_cleared")),
            ),
            ("the stock was looked up", lambda c: '"result":"stock"' in outputs(c)),
            ("the caller heard how many there are", lambda c: "of them today" in said(c)),
        ),
    ),
    Scene(
        "A human is wanted",
        "Cleo",
        "+493023125003",
        Script(
            "transfer",
            steps=(Hears(), Says("I would like to speak to a person, please.")),
            model=(
                CallsTools(("handoff_human", {"target": "default", "reason": "asks for a person"})),
            ),
        ),
        "transferred",
        (
            ("the transfer was announced", lambda c: "connecting you" in said(c)),
            ("it went out after that was heard", lambda c: in_order(c, "bot_said", "refer")),
            ("it went out once", lambda c: len(c.marks("refer")) == 1),
            (
                "the model never saw the address",
                lambda c: not any(TARGET in str(m.detail) for m in c.marks("client_event")),
            ),
        ),
    ),
)


def outputs(call: Call) -> str:
    """All tool outputs of a call."""
    return " ".join(m.detail["output"] for m in call.marks("tool_answered"))


def said(call: Call) -> str:
    """All that the caller heard of the bot."""
    return " ".join(m.detail["text"] for m in call.marks("bot_said"))


def in_order(call: Call, earlier: str, later: str) -> bool:
    """Whether the last mark of one kind came before the first of the other."""
    before, after = call.marks(earlier), call.marks(later)
    return bool(before and after) and before[-1].at <= after[0].at


async def run(
    speed: float = 4.0, console: Console | None = None, scenes: Sequence[Scene] = SCENES
) -> int:
    """Play the calls. Returns 0 if each went as scripted, else 1."""
    out = console or Console(highlight=False)
    configure("pretty", "error")
    out.print(f"[bold]offhook {__version__}[/] demo: three calls, no key, no network.")
    if speed != 1:
        out.print(f"People speak {speed:g} times faster than in life; times are as measured.")
    played: list[tuple[Scene, Call]] = []
    failures: list[str] = []
    async with Simulator("openai", speed=speed) as cloud, serving(cloud) as served:
        for scene in scenes:
            call = await play(cloud, served.url, scene, speed, out)
            played.append((scene, call))
            failures += [f"{scene.title}: not true that {what}" for what in missing(scene, call)]
        failures += await unexpected_ends(served.metrics, scenes)
    out.print(summary(played, speed))
    for failure in failures:
        out.print(f"[bold red]FAILED[/] {escape(failure)}")
    if not failures:
        out.print(f"All {len(played)} calls went as they should.")
    return 1 if failures else 0


async def play(cloud: Simulator, url: str, scene: Scene, speed: float, out: Console) -> Call:
    """Ring, and tell the story as it happens."""
    out.print(f"\n[bold cyan]{scene.title}[/]")
    call = await cloud.ring(
        url, scene.script, caller=scene.number, caller_name=scene.caller, called="+493023125100"
    )
    teller = asyncio.create_task(tell(call, scene.caller, speed, out))
    try:
        await call.finished(PATIENCE_S)
        async with asyncio.timeout(5):
            await teller
    except TimeoutError:
        out.print(f"[red]The call is still {call.state} after {PATIENCE_S:g} s.[/]")
    finally:
        teller.cancel()
    return call


def missing(scene: Scene, call: Call) -> list[str]:
    """What should be true of the call and is not."""
    return [what for what, holds in scene.must if not _holds(holds, call)]


def _holds(condition: Callable[[Call], bool], call: Call) -> bool:
    try:
        return condition(call)
    except LookupError:
        return False


async def unexpected_ends(metrics: Metrics, scenes: Sequence[Scene]) -> list[str]:
    """Compare the ends that offhook itself has counted with those of the script."""
    registry = metrics.registry
    wanted = [scene.ends for scene in scenes]
    for _ in range(200):  # the server learns of an end a moment after the cloud
        ended = {
            s.labels["end_reason"]: int(s.value)
            for m in registry.collect()
            for s in m.samples
            if s.name == "offhook_calls_total"
        }
        if sum(ended.values()) >= len(wanted):
            break
        await asyncio.sleep(0.02)
    return [f"no call ended as {reason}" for reason in wanted if ended.get(reason) != 1]


def summary(played: list[tuple[Scene, Call]], speed: float) -> Table:
    """The three calls side by side; milliseconds since the ring, and of each tool."""
    table = Table(title="\nMilliseconds", title_justify="left", title_style="bold")
    table.add_column("call")
    for column in ("200", "accept", "attach", "greeting", "tools"):
        table.add_column(column, justify="right")
    table.add_column("ended")
    for scene, call in played:
        first = {m.kind: m.at / speed * 1000 for m in reversed(call.trace)}
        kinds = ("webhook_answered", "accept", "attach", "bot_audio_started")
        steps = [f"{first[k]:.0f}" if k in first else "-" for k in kinds]
        asked = {m.detail["call_id"]: m.at for m in call.marks("tool_asked")}
        tools = [
            f"{(m.at - asked[m.detail['call_id']]) / speed * 1000:.0f}"
            for m in call.marks("tool_answered")
            if m.detail["call_id"] in asked
        ]
        table.add_row(scene.title, *steps, ", ".join(tools) or "-", scene.ends)
    return table
