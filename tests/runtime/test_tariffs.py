"""Which prices the settings lead to, and what is said if they lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.config import Settings, load
from offhook.errors import SettingsError
from offhook.runtime.tariffs import advice, make_tariff, unreadable
from offhook.store.prices import list_prices

AZURE = {"OPENAI_BASE": "https://example.openai.azure.com/openai/v1", "REALTIME_MODEL": "phone"}


def settings(**env: str) -> Settings:
    return load(None, env, serving=False)


def test_the_default_models_have_list_prices() -> None:
    tariff = make_tariff(settings())
    assert tariff.unknown == ()
    assert tariff.edition == list_prices().edition


def test_without_transcription_there_is_nothing_to_pay_for_it() -> None:
    tariff = make_tariff(settings(OFFHOOK_TRANSCRIPTION_MODEL="off"))
    assert (tariff.transcriber, tariff.unknown) == (None, ())


def test_on_azure_only_an_alias_leads_to_a_price() -> None:
    assert make_tariff(settings(**AZURE)).unknown == ("phone", "gpt-realtime-whisper")
    told = "phone=gpt-realtime-2.1-mini,gpt-realtime-whisper=gpt-realtime-whisper"
    tariff = make_tariff(settings(**AZURE, OFFHOOK_PRICED_AS=told))
    assert tariff.unknown == ()
    assert tariff.price is list_prices().of("gpt-realtime-2.1-mini")


def test_an_alias_may_name_a_model_of_the_own_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('date = 2026-11-22\n[models."contract"]\nminute = 1.0\n', encoding="utf-8")
    tariff = make_tariff(
        settings(**AZURE, OFFHOOK_PRICES=str(path), OFFHOOK_PRICED_AS="phone=contract")
    )
    assert tariff.price is not None
    assert tariff.price.minute == 1.0


def test_what_leads_nowhere_is_a_problem_of_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OFFHOOK_PRICED_AS: phone is to be priced as gpt-9"):
        make_tariff(settings(**AZURE, OFFHOOK_PRICED_AS="phone=gpt-9"))
    missing = str(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match=r"OFFHOOK_PRICES: .*cannot be read"):
        make_tariff(settings(OFFHOOK_PRICES=missing))
    assert "cannot be read" in (unreadable(missing) or "")


def test_a_file_of_prices_that_is_right_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("date = 2026-11-22\n[models.m]\nminute = 1\n", encoding="utf-8")
    assert unreadable(str(path)) is None


def test_the_advice_fits_the_cloud() -> None:
    assert "OFFHOOK_PRICED_AS=phone=" in advice(settings(**AZURE), "phone")
    assert "OFFHOOK_PRICES" in advice(settings(), "gpt-realtime-9")
