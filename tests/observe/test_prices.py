"""What tokens cost, and what a response is billed for."""

from __future__ import annotations

import pytest

from offhook.observe.prices import PRICES, Tokens, billed, cost, dollars, price_of

USAGE = {
    "total_tokens": 330,
    "input_tokens": 280,
    "output_tokens": 50,
    "input_token_details": {
        "text_tokens": 180,
        "audio_tokens": 100,
        "cached_tokens": 128,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 64},
    },
    "output_token_details": {"text_tokens": 20, "audio_tokens": 30},
}


def test_cached_tokens_are_not_billed_twice() -> None:
    assert billed(USAGE) == Tokens(
        text_in=116, text_cached=64, text_out=20, audio_in=36, audio_cached=64, audio_out=30
    )
    assert (billed(USAGE).read, billed(USAGE).made) == (280, 50)


def test_a_usage_without_details_is_all_text() -> None:
    assert billed({"input_tokens": 7, "output_tokens": 3}) == Tokens(text_in=7, text_out=3)
    assert billed(None) == billed({}) == Tokens()


def test_a_million_tokens_of_each_kind_cost_the_sum_of_the_list_prices() -> None:
    million = Tokens(**dict.fromkeys(Tokens.__struct_fields__, 1_000_000))
    assert cost(price_of("gpt-realtime-mini"), million) == pytest.approx(33.36)
    assert cost(price_of("gpt-realtime"), million) == pytest.approx(116.80)


def test_a_snapshot_costs_what_its_model_does() -> None:
    assert price_of("gpt-realtime-2025-08-28") == PRICES["gpt-realtime"]
    assert price_of("gpt-realtime-mini-2025-12-15") == PRICES["gpt-realtime-mini"]


def test_an_unknown_price_is_never_zero() -> None:
    assert price_of("my-deployment") is None
    assert cost(None, Tokens()) is None
    assert dollars(None) == "unknown price"


@pytest.mark.parametrize(
    ("amount", "words"), [(0.0, "$0.00"), (0.0004, "$0.0004"), (0.5, "$0.50"), (12.345, "$12.35")]
)
def test_small_amounts_are_not_rounded_to_nothing(amount: float, words: str) -> None:
    assert dollars(amount) == words


def test_tokens_add_up_by_kind() -> None:
    assert Tokens(text_in=1, audio_out=2) + Tokens(text_in=3) == Tokens(text_in=4, audio_out=2)
