"""The bundled bot as a whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from offhook.core.outcomes import Transfer
from offhook.core.rules import Rules
from offhook.core.step import ring
from offhook.errors import BotError
from offhook.lines import ENGLISH
from offhook.shop import make_bot
from offhook.shop.prompts import PROMPTS
from offhook.tools import Tool


def test_the_bot_offers_its_six_tools() -> None:
    assert [each.name for each in make_bot().tools] == [
        "lookup_order",
        "search_products",
        "check_inventory",
        "find_store_location",
        "check_company_hours",
        "schedule_callback",
    ]


def test_only_a_booking_changes_something_and_it_is_finished_when_the_caller_leaves() -> None:
    assert [each.name for each in make_bot().tools if each.effects] == ["schedule_callback"]
    assert [each.name for each in make_bot().tools if each.finish] == ["schedule_callback"]


def test_the_model_reads_plain_types_and_never_the_call() -> None:
    for each in make_bot().tools:
        assert "call" not in each.parameters["properties"]
        assert "$defs" not in each.parameters
        assert all("description" in part for part in each.parameters["properties"].values())


@pytest.mark.parametrize("language", ["en", "de", "de-AT", "EN"])
def test_the_bot_speaks_both_languages(language: str) -> None:
    prompt = PROMPTS[language.lower()[:2]]
    bot = make_bot(language)
    assert bot.instructions == prompt.instructions
    assert prompt.greeting in bot.lines(language).greeting


def test_another_language_is_refused() -> None:
    with pytest.raises(BotError, match="'fr'"):
        make_bot("fr")


@pytest.mark.parametrize("language", PROMPTS)
def test_a_caller_is_told_at_once_that_an_ai_is_speaking(language: str) -> None:
    first_sentence = make_bot(language).lines(language).greeting.partition(".")[0]
    assert {"en": "AI assistant", "de": "KI-Assistenten"}[language] in first_sentence


@pytest.mark.parametrize("language", PROMPTS)
def test_the_prompt_is_short_and_knows_how_to_hand_over(language: str) -> None:
    instructions = PROMPTS[language].instructions
    assert len(instructions) < 2000
    assert "handoff_human" in instructions


def test_making_a_bot_touches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_bot()
    assert list(tmp_path.iterdir()) == []


def test_the_database_is_the_one_given_or_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def created(database: Path | None) -> set[str]:
        make = make_bot(database=database, now=lambda: dt.datetime(2026, 3, 27, tzinfo=dt.UTC))
        hours: Tool = next(each for each in make.tools if each.name == "check_company_hours")
        hours.function()
        return {each.name for each in tmp_path.iterdir()}

    monkeypatch.chdir(tmp_path)
    assert created(None) == {"offhook-shop.sqlite3"}
    assert created(tmp_path / "given") == {"offhook-shop.sqlite3", "given"}


async def test_zero_on_the_keypad_is_a_human_and_more_digits_an_order_number() -> None:
    bot = make_bot()
    call, _ = ring("rtc_1", Rules(lines=ENGLISH, targets={"default": "a colleague"}), 0.0)
    assert await bot.digits_entered(call, "0") == Transfer("default", "pressed 0")
    answer = await bot.digits_entered(call, "12345")
    assert isinstance(answer, str)
    assert "ACME-12345" in answer


async def test_zero_without_anybody_to_transfer_to_stays_with_the_bot() -> None:
    call, _ = ring("rtc_1", Rules(lines=ENGLISH), 0.0)
    assert isinstance(await make_bot().digits_entered(call, "0"), str)
