"""What things cost: the table, the names in it, and the bill."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.core.usage import Tokens, Usage
from offhook.store.prices import Bill, Price, Prices, Rates, dollars, list_prices, prices, tariff

FULL = "gpt-realtime-2.1"
MINI = "gpt-realtime-2.1-mini"


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_response_is_billed_kind_by_kind_and_cached_tokens_are_not_on_top() -> None:
    price = list_prices().of(FULL)
    assert price is not None
    tokens = Tokens(
        text_in=1_000_000, text_cached=1_000_000, text_out=1_000_000,
        audio_in=1_000_000, audio_cached=1_000_000, audio_out=1_000_000,
        image_in=1_000_000, image_cached=1_000_000,
    )  # fmt: skip
    assert price.of_tokens(tokens) == pytest.approx(4 + 0.4 + 24 + 32 + 0.4 + 64 + 5 + 0.5)


def test_the_documented_minute_of_speech_costs_what_its_tokens_do() -> None:
    price = list_prices().of(FULL)
    assert price is not None  # one token is 100 ms of the caller's speech, and 50 ms of the bot's
    assert price.of_tokens(Tokens(audio_in=600)) == pytest.approx(0.0192)
    assert price.of_tokens(Tokens(audio_out=1200)) == pytest.approx(0.0768)


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("gpt-realtime-2.1", "gpt-realtime-2.1"),
        ("gpt-realtime-2.1-2026-05-07", "gpt-realtime-2.1"),
        ("gpt-realtime-2.1-mini-2026-05-07", "gpt-realtime-2.1-mini"),
        ("gpt-realtime-2025-08-28", "gpt-realtime"),
        ("gpt-realtime-mini-2025-12-15", "gpt-realtime-mini"),
        ("gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-mini-transcribe"),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(name: str, same_as: str) -> None:
    table = list_prices()
    assert table.of(name) is table.models[same_as]


@pytest.mark.parametrize(
    "name",
    [
        "gpt-realtime-3",
        "gpt-realtime-2.1-large",
        "gpt-realtime-2.1-mini-latest",
        "gpt-realtime-2.1-2026-05-07-preview",
        "gpt-realtime-2.12",
        "gpt",
        "",
        "-2026-05-07",
    ],
)
def test_no_other_beginning_of_a_name_leads_to_a_price(name: str) -> None:
    assert list_prices().of(name) is None


def test_a_snapshot_with_a_price_of_its_own_has_that() -> None:
    dear, cheap = Price(minute=2.0), Price(minute=1.0)
    table = Prices(edition="x", models={"m": cheap, "m-2026-01-01": dear})
    assert table.of("m-2026-01-01") is dear
    assert table.of("m-2026-02-02") is cheap


def test_an_unknown_model_has_no_price_rather_than_none_to_pay() -> None:
    bill = tariff(list_prices(), "gpt-realtime-9", None).bill(Usage(responses=Tokens(text_in=5)))
    assert bill == Bill(0.0, False)
    assert bill.usd is None


def test_one_unknown_part_leaves_the_cost_unknown_and_the_rest_known() -> None:
    line = tariff(list_prices(), FULL, "some-deployment")
    usage = Usage(responses=Tokens(audio_out=1_000_000), seconds=60.0)
    bill = line.bill(usage)
    assert bill.usd is None
    assert bill.known == pytest.approx(64.0)
    assert line.unknown == ("some-deployment",)


def test_usage_that_the_cloud_did_not_tell_leaves_the_cost_unknown() -> None:
    line = tariff(list_prices(), FULL, None)
    assert line.bill(Usage(responses=Tokens(audio_out=500_000), unknown=1)) == Bill(32.0, False)


def test_a_call_that_used_nothing_costs_nothing_whatever_the_model() -> None:
    assert tariff(list_prices(), "gpt-realtime-9", "unheard-of").bill(Usage()).usd == 0.0


def test_transcription_is_extra_by_the_minute_or_by_its_tokens() -> None:
    whisper = tariff(list_prices(), FULL, "gpt-realtime-whisper")
    assert whisper.bill(Usage(seconds=90.0)).usd == pytest.approx(0.017 * 1.5)
    by_tokens = tariff(list_prices(), FULL, "gpt-4o-transcribe")
    heard = Tokens(audio_in=1_000_000, text_out=1_000_000)
    assert by_tokens.bill(Usage(transcripts=heard)).usd == pytest.approx(2.5 + 10)


def test_tokens_of_a_kind_that_has_no_price_have_none() -> None:
    only_text = Price(text=Rates(in_=1.0, out=2.0))
    assert only_text.of_tokens(Tokens(text_in=10)) == pytest.approx(1e-5)
    assert only_text.of_tokens(Tokens(text_in=10, audio_in=1)) is None
    assert only_text.of_tokens(Tokens(text_cached=1)) is None
    assert only_text.of_seconds(3.0) is None


def test_the_own_file_goes_before_the_list_prices_and_is_named_in_the_edition(
    tmp_path: Path,
) -> None:
    table = prices(
        own(
            tmp_path,
            f"""
            date = 2026-12-01
            [models."{FULL}"]
            text = {{ in = 1.0, cached = 0.1, out = 2.0 }}
            [models."our-model"]
            minute = 0.5
            """,
        )
    )
    listed = list_prices()
    assert table.edition == f"{listed.edition}, own 2026-12-01"
    assert len(table.edition) <= 32  # the column
    assert table.of(FULL) == Price(text=Rates(1.0, 0.1, 2.0))
    assert table.of("our-model") == Price(minute=0.5)
    assert table.of(MINI) is listed.of(MINI)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("date = 2026-12-01\n[models.x]\ntext = { in = -1.0 }", "in"),
        ("date = 2026-12-01\n[models.x]\nminute = 'much'", "minute"),
        ("date = 2026-12-01\n[models.x]\nminute = nan", "minute"),
        ("date = 2026-12-01\n[models.x]\ntext = { input = 1.0 }", "input"),
        ("date = 2026-12-01\n[models.x]\nvideo = { in = 1.0 }", "video"),
        ("date = 'yesterday'\n[models]", "date"),
        ("[models]", "date"),
        ("date = 2026-12-01", "models"),
        ("date =", "Invalid"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    path = own(tmp_path, text)
    with pytest.raises(ValueError, match=why) as error:
        prices(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read"):
        prices(tmp_path / "nowhere.toml")
    (tmp_path / "prices.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"prices\.toml"):
        prices(tmp_path / "prices.toml")


def test_a_deployment_has_a_price_only_if_it_is_said_which_model_it_is() -> None:
    table = list_prices().with_aliases({"phone": MINI})
    assert table.of("phone") is table.of(MINI)
    assert tariff(table, "phone", None, by_name=False).unknown == ()
    # This deployment is named like a model, which says nothing of what it is.
    assert tariff(table, FULL, None, by_name=False).unknown == (FULL,)


def test_an_alias_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"phone is to be priced as gpt-9, .* gpt-realtime-2\.1"):
        list_prices().with_aliases({"phone": "gpt-9"})


@pytest.mark.parametrize(
    ("amount", "text"), [(None, "unknown price"), (0.0, "$0.00"), (0.0042, "$0.0042"), (3, "$3.00")]
)
def test_an_amount_can_be_read(amount: float | None, text: str) -> None:
    assert dollars(amount) == text
