"""Many small questions become few large ones, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from offhook.runtime import together
from offhook.runtime.together import Together


async def doubled(asked: Mapping[str, int]) -> dict[str, int]:
    return {key: value * 2 for key, value in asked.items() if value}


async def test_each_gets_its_own_answer_and_none_where_there_is_none() -> None:
    questions = Together(doubled)
    assert await asyncio.gather(*(questions.answer(str(n), n) for n in range(3))) == [None, 2, 4]
    assert await questions.answer("7", 7) == 14


async def test_one_question_is_not_larger_than_a_statement_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    sizes = []

    async def ask(asked: Mapping[int, int]) -> dict[int, int]:
        sizes.append(len(asked))
        return dict(asked)

    questions = Together(ask)
    assert await asyncio.gather(*(questions.answer(n, n) for n in range(5))) == [*range(5)]
    assert sizes == [2, 2, 1]


async def test_one_that_no_longer_waits_leaves_the_others_their_answers() -> None:
    questions = Together(doubled)
    gone, stays = (asyncio.create_task(questions.answer(key, 1)) for key in "ab")
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
    assert gone.cancelled()
