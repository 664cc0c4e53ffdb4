"""Questions of one kind, asked together: those that come while one is under way are the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
Answer = TypeVar("Answer")

MOST = 500  # in one question: a statement has only so many parameters


class Together(Generic[Key, Value, Answer]):
    """Turns many small questions into few large ones, without making the first of them wait.

    `ask` is given what came in since it was last called, by key, and gives back the answers that
    there are. There is never more than one under way.
    """

    def __init__(
        self, ask: Callable[[Mapping[Key, Value]], Awaitable[Mapping[Key, Answer]]]
    ) -> None:
        self._ask = ask
        self._waiting: dict[Key, tuple[Value, asyncio.Future[Answer | None]]] = {}
        self._asker: asyncio.Task[None] | None = None

    async def answer(self, key: Key, value: Value) -> Answer | None:
        """The answer for this key, `None` if there is none. Raises what asking raises.

        A key that waits already is not asked for twice: both get the one answer.
        """
        loop = asyncio.get_running_loop()
        _, answered = self._waiting.setdefault(key, (value, loop.create_future()))
        if self._asker is None:
            self._asker = loop.create_task(self._ask_all())
        return await asyncio.shield(answered)  # others may wait for it, too

    async def _ask_all(self) -> None:
        while self._waiting:
            asked = {key: self._waiting.pop(key) for key in [*islice(self._waiting, MOST)]}
            answers: Mapping[Key, Answer] = {}
            failure: Exception | None = None
            try:
                answers = await self._ask({key: value for key, (value, _) in asked.items()})
            except Exception as error:
                failure = error
            for key, (_, answered) in asked.items():
                if failure is None:
                    answered.set_result(answers.get(key))
                else:
                    answered.set_exception(failure)
                    answered.exception()  # whoever asked may be gone by now
        self._asker = None
