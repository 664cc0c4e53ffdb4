"""The bundled bot: ACME's telephone, in English or German, on a small database of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from offhook.bot import Bot, Reaction
from offhook.core.call import Call
from offhook.core.outcomes import Transfer
from offhook.errors import BotError
from offhook.shop.database import Database
from offhook.shop.prompts import PROMPTS
from offhook.shop.tools import Shop

DEFAULT_DATABASE = "offhook-shop.sqlite3"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def make_bot(
    language: str = "en",
    database: Path | str | None = None,
    now: Callable[[], dt.datetime] = _now,
) -> Bot:
    """The bot in a language, `en` or `de` (`de-AT` will do).

    `database` is the SQLite file, by default `offhook-shop.sqlite3` in the working folder. It is
    created when it is first needed. `now` tells the time as an aware datetime.
    Raises `BotError` for another language.
    """
    prompt = PROMPTS.get(language.lower().split("-")[0])
    if prompt is None:
        raise BotError(f"ACME speaks {' and '.join(PROMPTS)}, not {language!r}.")
    path = Path(database or DEFAULT_DATABASE)
    shop = Shop(Database(path, now), now)
    bot = Bot(
        prompt.instructions,
        name="acme",
        greeting=prompt.greeting,
        language=language,
        tools=shop.tools,
        consent="notice",
    )

    @bot.on_digits
    async def entered(call: Call, digits: str) -> Reaction:
        """`0` is a human, as on any telephone; longer entries are order numbers."""
        if digits == "0" and call.targets:
            return Transfer(call.targets[0], "pressed 0")
        return f"The caller typed {digits} on the keypad. As an order number it is ACME-{digits}."

    return bot
