"""Settings are checked as a whole: every problem at once, no secret in any of them."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.config import Settings, auth_headers, fields, load
from offhook.errors import Problem, SettingsError

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ENOUGH = {"OPENAI_API_KEY": "sk-test", "OPENAI_WEBHOOK_SECRET": SECRET}
AZURE = {"OPENAI_BASE": "https://res.openai.azure.com", "REALTIME_MODEL": "my-deployment"}
CANARY = "canary"


def loaded(**given: str) -> Settings:
    return load(None, ENOUGH | given)


def outcome(env_file: Path | None, given: dict[str, str]) -> tuple[Problem, ...]:
    """The problems that these lead to; none if all is well."""
    try:
        load(env_file, given)
    except SettingsError as error:
        return error.problems
    return ()


def problems(**given: str) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as caught:
        loaded(**given)
    return {problem.setting: problem for problem in caught.value.problems}


def test_a_key_and_a_secret_are_enough() -> None:
    result = loaded()
    assert result.endpoint.provider == "openai"
    assert result.cloud.api_key.get_secret_value() == "sk-test"
    assert [each.get_secret_value() for each in result.server.webhook_secrets] == [SECRET]
    assert (result.server.host, result.server.port) == ("127.0.0.1", 8000)
    assert result.session.voice == "marin"


def test_every_problem_is_reported_at_once() -> None:
    wrong = {
        "PORT": "eighty",
        "OPENAI_BASE": "res.openai.azure.com",
        "OFFHOOK_GREETING_DELAY_MS": "5001",
        "OFFHOOK_VAD": "loud",
        "OFFHOOK_WRAP_UP_S": "600",
        "OFFHOOK_MAX_CALL_MINUTES": "5",
        "OFFHOOK_VIOCE": "marin",
    }
    with pytest.raises(SettingsError) as caught:
        load(None, wrong)
    at_fault = {problem.setting for problem in caught.value.problems}
    missing = {"OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET"}
    assert at_fault == wrong.keys() - {"OFFHOOK_MAX_CALL_MINUTES"} | missing
    assert len(caught.value.problems) == len(at_fault)


def test_a_problem_says_what_is_accepted() -> None:
    [problem] = problems(OFFHOOK_GREETING_DELAY_MS="soon").values()
    assert problem.what == "must be a whole number from 0 to 5000 (ms)"
    assert problem.example == "200"
    assert problems(OFFHOOK_VAD="x")["OFFHOOK_VAD"].what == "must be server or semantic"


def test_only_serving_needs_a_key_and_a_secret() -> None:
    assert load(None, {}, serving=False).server.webhook_secrets == ()


def test_blank_is_unset() -> None:
    blank = {each.name: "  " for each in fields()}
    assert load(None, blank | ENOUGH) == loaded()


def test_values_are_trimmed_and_words_may_be_in_capitals() -> None:
    result = loaded(
        PORT=" 9000 ", OFFHOOK_LOG_LEVEL="DEBUG", OFFHOOK_NOISE_REDUCTION="Off", TEST_MODE="False"
    )
    assert result.server.port == 9000
    assert result.logs.level == "debug"
    assert result.session.noise_reduction is None
    assert result.server.test_mode is False


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nREALTIME_VOICE=cedar\nOPENAI_API_KEY=sk-file\n")
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("REALTIME_VOICE", "")
    result = load(tmp_path / ".env", serving=False)
    assert result.server.port == 9001
    assert result.session.voice == "cedar"
    assert result.cloud.api_key.get_secret_value() == "sk-file"


def test_a_bad_file_does_not_hide_the_other_problems(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT 9000\nOFFHOOK_VAD=x\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / ".env", ENOUGH)
    assert [each.setting for each in caught.value.problems] == [".env line 1", "OFFHOOK_VAD"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OFFHOOK_VAD_SILENSE_MS", "OFFHOOK_VAD_SILENCE_MS"),
        ("OFFHOOK_PORT", "PORT"),
        ("OFFHOOK_VOCIE", "REALTIME_VOICE"),
        ("OFFHOOK_MODEL", "REALTIME_MODEL"),
        ("OFFHOOK_REALTIME_MODEL", "REALTIME_MODEL"),
        ("OFFHOOK_API_KEY", "OPENAI_API_KEY"),
        ("OFFHOOK_LOG_FORMAT", "LOG_FORMAT"),
        ("offhook_language", "OFFHOOK_LANGUAGE"),
    ],
)
def test_an_unknown_name_of_ours_is_met_with_the_closest_known(name: str, meant: str) -> None:
    [problem] = problems(**{name: "x"}).values()
    assert problem.setting == name
    assert f"did you mean {meant}?" in problem.what


def test_a_name_like_no_other_is_met_without_a_guess() -> None:
    [problem] = problems(OFFHOOK_NOPE="x").values()
    assert problem.what == "is no setting of offhook; the README lists them all"
    assert problem.example == ""


def test_names_of_others_are_none_of_our_business() -> None:
    assert loaded(OPENAI_ORG_ID="x", PATH="/bin", REALTIME_VOCIE="x") == loaded()


def test_variables_that_kubernetes_writes_for_a_service_named_offhook_are_let_be() -> None:
    links = {
        "OFFHOOK_SERVICE_HOST": "10.0.0.11",
        "OFFHOOK_SERVICE_PORT": "8000",
        "OFFHOOK_SERVICE_PORT_HTTP": "8000",
        "OFFHOOK_PORT": "tcp://10.0.0.11:8000",
        "OFFHOOK_PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "OFFHOOK_PORT_8000_TCP_ADDR": "10.0.0.11",
        "OFFHOOK_WEB_PORT_8000_TCP_PROTO": "tcp",
    }
    assert loaded(**links) == loaded()


def test_azure_wants_a_deployment_name() -> None:
    assert loaded(**AZURE).cloud.model == "my-deployment"
    [problem] = problems(OPENAI_BASE=AZURE["OPENAI_BASE"]).values()
    assert problem.setting == "REALTIME_MODEL"
    assert "deployment" in problem.what


def test_each_cloud_has_its_own_header_and_neither_the_beta_one() -> None:
    assert auth_headers(loaded()) == {"Authorization": "Bearer sk-test"}
    assert auth_headers(loaded(**AZURE)) == {"api-key": "sk-test"}


def test_several_webhook_secrets_are_separated_by_commas() -> None:
    secrets = loaded(OPENAI_WEBHOOK_SECRET=f"{SECRET}, plain ,").server.webhook_secrets
    assert [each.get_secret_value() for each in secrets] == [SECRET, "plain"]


@pytest.mark.parametrize(
    "secret",
    ["whsec_", "whsec_not base64", "whsec_!!!!", "whsec_abc", f"{SECRET} {SECRET}", ",", "# later"],
)
def test_a_secret_that_cannot_sign_is_a_problem(secret: str) -> None:
    assert problems(OPENAI_WEBHOOK_SECRET=secret).keys() == {"OPENAI_WEBHOOK_SECRET"}


@pytest.mark.parametrize("key", ["sk test", "sk-tést", "sk-\x00", "sk\n-test"])
def test_a_key_that_no_header_can_carry_is_a_problem(key: str) -> None:
    assert problems(OPENAI_API_KEY=key).keys() == {"OPENAI_API_KEY"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_test_mode_on_loopback_needs_no_secret(host: str) -> None:
    result = load(None, {"OPENAI_API_KEY": "k", "TEST_MODE": "1", "OFFHOOK_HOST": host})
    assert result.server.test_mode
    assert result.server.webhook_secrets == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bot.example.com"])
def test_test_mode_beyond_loopback_is_refused_even_with_a_secret(host: str) -> None:
    [problem] = problems(TEST_MODE="1", OFFHOOK_HOST=host).values()
    assert problem.setting == "TEST_MODE"
    assert "loopback" in problem.what


@pytest.mark.parametrize(
    ("given", "at_fault"),
    [
        ({"OFFHOOK_VAD": "semantic", "OFFHOOK_VAD_THRESHOLD": "0.6"}, "OFFHOOK_VAD_THRESHOLD"),
        ({"OFFHOOK_VAD": "semantic", "OFFHOOK_VAD_SILENCE_MS": "500"}, "OFFHOOK_VAD_SILENCE_MS"),
        ({"OFFHOOK_VAD": "semantic", "OFFHOOK_VAD_PREFIX_MS": "300"}, "OFFHOOK_VAD_PREFIX_MS"),
        ({"OFFHOOK_VAD": "semantic", "OFFHOOK_IDLE_TIMEOUT_MS": "9000"}, "OFFHOOK_IDLE_TIMEOUT_MS"),
        ({"OFFHOOK_VAD_EAGERNESS": "low"}, "OFFHOOK_VAD_EAGERNESS"),
        ({"OFFHOOK_MAX_CALL_MINUTES": "1", "OFFHOOK_WRAP_UP_S": "60"}, "OFFHOOK_WRAP_UP_S"),
        ({"OFFHOOK_RING_BUDGET_MS": "1500"}, "OFFHOOK_ACCEPT_TIMEOUT_MS"),
        (
            {"REALTIME_MODEL": "gpt-realtime-1.5", "OFFHOOK_REASONING_EFFORT": "low"},
            "OFFHOOK_REASONING_EFFORT",
        ),
        ({"OFFHOOK_PROVIDER": "azure"}, "OPENAI_BASE"),
        ({"OPENAI_BASE": "https://gateway.example.com"}, "OFFHOOK_PROVIDER"),
        ({"REALTIME_WS_BASE": "wss://res.openai.azure.com"}, "REALTIME_WS_BASE"),
    ],
)
def test_settings_that_contradict_each_other_are_a_problem(
    given: dict[str, str], at_fault: str
) -> None:
    assert problems(**given).keys() == {at_fault}


def test_semantic_vad_has_no_idle_timeout_and_may_say_so() -> None:
    semantic = loaded(OFFHOOK_VAD="semantic", OFFHOOK_VAD_EAGERNESS="low")
    assert semantic.turns.idle_ms is None
    assert loaded(OFFHOOK_VAD="semantic", OFFHOOK_IDLE_TIMEOUT_MS="0").turns.idle_ms is None
    assert loaded(OFFHOOK_IDLE_TIMEOUT_MS="0").turns.idle_ms is None
    assert loaded().turns.idle_ms == 12000


@pytest.mark.parametrize("text", ["1", "4999", "30001", "-5000", "off"])
def test_an_idle_timeout_the_cloud_would_refuse_is_a_problem(text: str) -> None:
    [problem] = problems(OFFHOOK_IDLE_TIMEOUT_MS=text).values()
    assert problem.what == "must be 0 or a whole number from 5000 to 30000 (ms)"


@pytest.mark.parametrize("text", ["nan", "inf", "1.1", "-0.1", "many"])
def test_a_ratio_is_a_number_from_0_to_1_or_auto(text: str) -> None:
    assert problems(OFFHOOK_RETENTION_RATIO=text).keys() == {"OFFHOOK_RETENTION_RATIO"}
    assert loaded(OFFHOOK_RETENTION_RATIO="auto").session.retention_ratio is None
    assert loaded(OFFHOOK_RETENTION_RATIO="0.5").session.retention_ratio == 0.5


def test_transcription_can_be_off_and_follows_the_language() -> None:
    session = loaded(OFFHOOK_TRANSCRIPTION_MODEL="off", OFFHOOK_LANGUAGE="pt-BR").session
    assert session.transcription_model is None
    assert session.caller_language == "pt"
    assert loaded(OFFHOOK_TRANSCRIPTION_LANGUAGE="de").session.caller_language == "de"


def test_a_region_may_be_written_small() -> None:
    assert loaded(OFFHOOK_DEFAULT_REGION="de").phone.default_region == "DE"


def test_secrets_do_not_show_in_settings() -> None:
    result = loaded(
        OPENAI_API_KEY=f"sk-{CANARY}", OPENAI_WEBHOOK_SECRET=f"{CANARY}1,{CANARY}2", **AZURE
    )
    assert CANARY in result.cloud.api_key.get_secret_value()
    assert CANARY not in f"{result} {result!r} {result.cloud} {result.server!r}"
    assert CANARY not in result.cloud.model_dump_json() + result.server.model_dump_json()


@pytest.mark.parametrize("name", [each.name for each in fields()])
def test_no_value_shows_in_an_error_or_in_its_traceback(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key lands in the wrong line easily, so no setting's value is ever repeated."""
    monkeypatch.setenv(name, f"https://{CANARY}:{CANARY}@ \n{CANARY} <>")
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY=sk-{CANARY}\nsk-{CANARY}\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / ".env")
    error = caught.value
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert CANARY not in f"{error} {error!r} {error.problems}"
    frames = [f"{frame.name} {frame.locals}" for frame in whole.stack if "config" in frame.filename]
    ours = [text for text in frames if not text.startswith("test_")]
    assert ours
    assert CANARY not in "".join(ours)
    assert error.__context__ is None


names = st.sampled_from([each.name for each in fields()])
anything = st.text(st.characters())  # with surrogates: an environment holds any bytes
plausible = st.one_of(
    st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,3})?|[a-z_]{1,8}", fullmatch=True),
    st.sampled_from([each.example for each in fields()]),
)


@given(st.dictionaries(names, anything | plausible, min_size=1))
def test_no_value_does_worse_than_a_printable_settings_error(given: dict[str, str]) -> None:
    assert str(SettingsError(outcome(None, given))).replace("\n", "").isprintable()


@given(names, plausible)
def test_one_wrong_value_among_right_ones_leads_to_a_problem_of_a_known_setting(
    name: str, value: str
) -> None:
    known = {each.name for each in fields()}
    assert {problem.setting for problem in outcome(None, ENOUGH | {name: value})} <= known


@given(st.binary(max_size=60))
def test_no_file_does_worse_than_a_printable_settings_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.env"
    path.write_bytes(content)
    assert str(SettingsError(outcome(path, ENOUGH))).replace("\n", "").isprintable()


@given(anything)
def test_no_unknown_name_does_worse_than_a_printable_problem(tail: str) -> None:
    [problem] = outcome(None, ENOUGH | {f"OFFHOOK_X{tail}X": "x"})
    assert problem.setting.isascii()
    assert problem.setting.isprintable()
