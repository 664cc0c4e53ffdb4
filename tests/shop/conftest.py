"""A shop on a Friday morning before the clocks change, and a caller to ask it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from offhook.core.call import Call
from offhook.core.outcomes import Answered, InvalidArguments
from offhook.core.party import Party
from offhook.core.rules import Lines, Rules
from offhook.shop.database import Database
from offhook.shop.tools import Shop
from offhook.tools import Tool, Toolbox
from offhook.tools.run import run

FRIDAY = dt.datetime(2026, 3, 27, 10, 0, tzinfo=dt.UTC)  # 11:00 in Berlin, 29 March: summer time

Ask: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = FRIDAY

    def __call__(self) -> dt.datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tmp_path: Path, clock: Clock) -> Shop:
    return Shop(Database(tmp_path / "shop.sqlite3", clock), clock)


@pytest.fixture
def caller() -> Call:
    lines = Lines(**dict.fromkeys(Lines.__struct_fields__, ""))
    return Call(id="rtc_1", rules=Rules(lines=lines), caller=Party("+493023125101"))


@pytest.fixture
def ask(shop: Shop, caller: Call) -> Ask:
    """Run a tool as the model would: `await ask("lookup_order", order_number=...)`.

    Gives the answer as a dict; a refusal to run has `result` `invalid`.
    """
    box = Toolbox(shop.tools)

    async def ask(name: str, call: Call = caller, **arguments: Any) -> dict[str, Any]:
        found = box.find(name)
        assert isinstance(found, Tool)
        outcome = await run(found, call, json.dumps(arguments))
        match outcome:
            case Answered(output):
                answer: dict[str, Any] = json.loads(output)
                return answer
            case InvalidArguments(message):
                return {"result": "invalid", "message": message}
            case other:
                raise AssertionError(other)

    return ask
