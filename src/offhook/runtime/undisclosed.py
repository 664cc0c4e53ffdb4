"""Lines on which callers are not told that an AI answers: by whose will, the audit log says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from offhook.runtime.line import Line
from offhook.store.audit import Audit

ACTOR: Final = "offhook"
SWITCHED_OFF: Final = "disclosure.off"
AGAIN_S: Final = 5.0


def undisclosed(lines: Mapping[str, Line]) -> dict[str, Line]:
    """The lines, by name, whose disclosure somebody has switched off."""
    return {
        name: line
        for name, line in lines.items()
        if line.bot.disclosure is not None and line.rules.terms is None
    }


@asynccontextmanager
async def noted(
    audit: Audit, lines: Mapping[str, Line], *, again_s: float = AGAIN_S
) -> AsyncIterator[None]:
    """Have an entry for each of them; while the database is away, try until the block ends."""
    silent = undisclosed(lines)
    if not silent:
        yield
        return
    task = asyncio.get_running_loop().create_task(_note(audit, silent, again_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _note(audit: Audit, lines: Mapping[str, Line], again_s: float) -> None:
    for name, line in lines.items():
        while True:
            try:
                await audit.note(ACTOR, SWITCHED_OFF, subject=name, detail=f"bot {line.bot.name}")
                break
            except (SQLAlchemyError, OSError):
                await asyncio.sleep(again_s)
