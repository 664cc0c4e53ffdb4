"""PostgreSQL without SQLAlchemy between: a connection kept for what is asked and written often.

SQLAlchemy takes a connection out of its pool, begins, prepares, commits and puts it back: five
ways to the server and a millisecond of ours, for a question that is a single one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CLOSE_S = 1.0


class Direct:
    """One connection outside the pool, opened when it is needed, and anew after any error.

    Who uses it waits for who does. Raises what the driver raises, or SQLAlchemy when it connects.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._held: AsyncConnection | None = None  # keeps the driver's own alive
        self._driver: Any = None
        self._spelled: dict[Executable, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    async def execute(self, statement: str, *values: object) -> None:
        """Have a statement carried out, as a transaction of its own."""
        await self._do("execute", statement, values)

    async def fetch(self, statement: Executable, **values: object) -> list[Any]:
        """The rows that a statement gives. It is spelled out once: use the same one again."""
        spelled = self._spelled.get(statement)
        if spelled is None:
            spelled = self._spelled[statement] = self._spell(statement)
        text, names, fixed = spelled
        given = {**fixed, **values}
        return list(await self._do("fetch", text, [given[name] for name in names]))

    def _spell(self, statement: Executable) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        compiled = statement.compile(dialect=self._engine.dialect)  # type: ignore[attr-defined]
        return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params)

    async def _do(self, what: str, statement: str, values: Any) -> Any:
        async with self._turn:
            if self._driver is None or self._driver.is_closed():
                await self._connect()
            try:
                return await getattr(self._driver, what)(statement, *values)
            except BaseException:  # at once, whatever it waits for
                self._driver.terminate()
                raise

    async def _connect(self) -> None:
        await self._let_go()
        held = await self._engine.connect()
        self._driver = (await held.get_raw_connection()).driver_connection
        await held.run_sync(lambda connection: connection.detach())
        self._held = held

    async def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with suppress(Exception):
                await held.close()

    async def close(self) -> None:
        """Close the connection, after what is under way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S), self._turn:
                await self._let_go()
        if self._driver is not None:
            self._driver.terminate()
