"""`offhook demo` tells the truth: its status is 0 only if each call went as scripted."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from offhook.demo import SCENES, run
from offhook.simulator import Replies


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=120, highlight=False), text


async def test_the_three_calls_go_as_scripted() -> None:
    out, text = console()
    status = await run(20.0, out)
    assert status == 0, text.getvalue()
    story = text.getvalue()
    for told in (
        "the webhook is answered 200",
        "the call is accepted (200)",
        "the sideband is attached",
        "the greeting is heard",
        "tool lookup_order",
        "(cut off)",
        "SIP REFER",
        "bot_hung_up",
        "caller_hung_up",
        "transferred",
    ):
        assert told in story


async def test_a_call_that_goes_otherwise_is_named_with_the_reason() -> None:
    out, text = console()
    wrong = replace(SCENES[0].script, model=(Replies("I do not know."), Replies("Goodbye.")))
    hangs_up = replace(wrong, steps=(*wrong.steps[:3], *SCENES[1].script.steps[-1:]))
    status = await run(20.0, out, [replace(SCENES[0], script=hangs_up)])
    assert status == 1
    assert "FAILED An order is looked up: not true that the order was looked up" in text.getvalue()
    assert "no call ended as bot_hung_up" in text.getvalue()
