"""Endpoints: whatever people paste leads to the right address of the right cloud, or to a word."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.config.endpoint import Endpoint, Provider, derive, is_loopback
from offhook.errors import SettingsError

AZURE = "https://res.openai.azure.com/openai/v1"
OPENAI = "https://api.openai.com/v1"
LOCAL = "http://127.0.0.1:9000/v1"
LOCAL_AZURE = "http://127.0.0.1:9000/openai/v1"

BASES: list[tuple[str, Provider, str]] = [
    ("https://res.openai.azure.com", "azure", AZURE),
    ("https://res.openai.azure.com/", "azure", AZURE),
    ("https://res.openai.azure.com/openai", "azure", AZURE),
    ("https://res.openai.azure.com/openai/", "azure", AZURE),
    ("https://res.openai.azure.com/openai/v1", "azure", AZURE),
    ("https://res.openai.azure.com/openai/v1//", "azure", AZURE),
    ("https://res.openai.azure.com//openai//v1", "azure", AZURE),
    ("https://res.openai.azure.com/v1", "azure", AZURE),
    ("https://res.openai.azure.com/openai/v1/realtime", "azure", AZURE),
    ("https://res.openai.azure.com/openai/realtime", "azure", AZURE),
    ("https://res.openai.azure.com/openai/v1/realtime/calls/", "azure", AZURE),
    ("HTTPS://Res.OpenAI.Azure.com", "azure", AZURE),
    ("https://res.openai.azure.com:443/openai", "azure", f"{AZURE[:28]}:443/openai/v1"),
    (
        "https://res.services.ai.azure.com/api/projects/my-project",
        "azure",
        "https://res.services.ai.azure.com/openai/v1",
    ),
    (
        "https://res.services.ai.azure.com/api/projects/my-project/openai/v1",
        "azure",
        "https://res.services.ai.azure.com/openai/v1",
    ),
    ("https://api.openai.com", "openai", OPENAI),
    ("https://api.openai.com/", "openai", OPENAI),
    ("https://api.openai.com/v1", "openai", OPENAI),
    ("https://api.openai.com/v1/", "openai", OPENAI),
    ("https://api.openai.com/v1/realtime", "openai", OPENAI),
    ("https://eu.api.openai.com", "openai", "https://eu.api.openai.com/v1"),
    ("http://127.0.0.1:9000", "openai", LOCAL),
    ("http://127.0.0.1:9000/v1", "openai", LOCAL),
    ("http://127.0.0.1:9000/openai", "azure", LOCAL_AZURE),
    ("http://127.0.0.1:9000/openai/v1", "azure", LOCAL_AZURE),
    ("http://localhost:9000", "openai", "http://localhost:9000/v1"),
    ("http://[::1]:9000/v1", "openai", "http://[::1]:9000/v1"),
]


@pytest.mark.parametrize(("base", "provider", "rest"), BASES)
def test_a_base_in_any_common_form_leads_to_the_same_address(
    base: str, provider: Provider, rest: str
) -> None:
    websocket = "ws" + rest.removeprefix("http") + "/realtime"
    assert derive(base) == Endpoint(provider, rest, websocket, None)


@pytest.mark.parametrize("cloud", ["azure.com", "azure.us", "azure.cn"])
@pytest.mark.parametrize("service", ["openai", "services.ai", "cognitiveservices"])
def test_azure_is_known_in_every_cloud_and_under_every_service_name(
    service: str, cloud: str
) -> None:
    host = f"res.{service}.{cloud}"
    assert derive(f"https://{host}").rest_base == f"https://{host}/openai/v1"
    assert derive(f"https://{host}").provider == "azure"


def test_without_a_base_it_is_openai() -> None:
    assert derive() == Endpoint("openai", OPENAI, "wss://api.openai.com/v1/realtime", None)


@pytest.mark.parametrize(
    "base",
    [
        "https://res.openai.azure.com.evil.example",
        "https://openai.azure.com.evil.example/openai/v1",
        "https://evil.example/res.openai.azure.com/openai",
        "https://resopenai.azure.com",
        "https://openai.azure.com",
        "https://api.openai.com.evil.example",
        "https://notapi.openai.com",
        "https://gateway.example.com/openai/v1",
    ],
)
def test_a_host_that_only_looks_like_a_cloud_is_not_guessed(base: str) -> None:
    assert settings_at_fault(base) == ["OFFHOOK_PROVIDER"]


@pytest.mark.parametrize(
    ("base", "provider", "rest"),
    [
        ("https://gateway.example.com", "azure", "https://gateway.example.com/openai/v1"),
        ("https://gateway.example.com", "openai", "https://gateway.example.com/v1"),
        ("https://example.com/bots/openai/v1/", "azure", "https://example.com/bots/openai/v1"),
        ("https://example.com/bots/v1", "openai", "https://example.com/bots/v1"),
        ("https://example.com/openai", "openai", "https://example.com/openai/v1"),
        ("http://127.0.0.1:9000", "azure", LOCAL_AZURE),
        ("http://127.0.0.1:9000/v1", "azure", LOCAL_AZURE),
        ("http://127.0.0.1:9000/openai", "openai", LOCAL_AZURE),
        ("https://res.openai.azure.com", "openai", AZURE),
    ],
)
def test_a_named_provider_wins_over_what_the_address_says(
    base: str, provider: Provider, rest: str
) -> None:
    endpoint = derive(base, provider=provider)
    assert (endpoint.provider, endpoint.rest_base) == (provider, rest)


@pytest.mark.parametrize(
    ("websocket", "derived"),
    [
        ("wss://res.openai.azure.com/openai/v1/realtime", "res.openai.azure.com/openai/v1"),
        ("wss://res.openai.azure.com/openai/v1/realtime/", "res.openai.azure.com/openai/v1"),
        ("wss://res.openai.azure.com/openai/v1", "res.openai.azure.com/openai/v1"),
        ("wss://res.openai.azure.com", "res.openai.azure.com/openai/v1"),
        ("https://res.openai.azure.com/openai/v1/realtime", "res.openai.azure.com/openai/v1"),
        ("wss://res.services.ai.azure.com/openai", "res.services.ai.azure.com/openai/v1"),
        ("wss://ws.example.com/v1/realtime", "ws.example.com/openai/v1"),
    ],
)
def test_a_websocket_base_is_read_as_generously_as_the_other(websocket: str, derived: str) -> None:
    assert derive(AZURE, websocket).ws_base == f"wss://{derived}/realtime"
    assert derive(AZURE, websocket).rest_base == AZURE


def test_a_websocket_base_on_loopback_needs_no_tls() -> None:
    assert derive(LOCAL, "http://127.0.0.1:9001").ws_base == "ws://127.0.0.1:9001/v1/realtime"
    assert derive(LOCAL, "ws://127.0.0.1:9001/v1").ws_base == "ws://127.0.0.1:9001/v1/realtime"


@pytest.mark.parametrize(
    ("base", "word"),
    [
        ("", "https://"),
        ("res.openai.azure.com", "https://"),
        ("localhost:9000", "https://"),
        ("//api.openai.com", "https://"),
        ("https://", "https://"),
        ("wss://api.openai.com/v1", "https://"),
        ("ftp://api.openai.com", "https://"),
        ("http://api.openai.com", "in the clear"),
        ("http://192.0.2.7:9000/v1", "in the clear"),
        ("http://127.0.0.1.example.com", "in the clear"),
        ("https://<your-resource>.openai.azure.com", "placeholder"),
        ("https://res.openai.azure.com/openai?api-version=2025-04-01", "query"),
        ("https://api.openai.com/v1?", "query"),
        ("https://api.openai.com/v1#top", "#"),
        ("https://user:pass@api.openai.com", "user name"),
        ("https://api.openai.com\\@evil.example", "special"),
        ("https://api.open ai.com", "spaces"),
        ("https://api.openai.com/\u202ev1", "special"),
        ("https://api.openai.com:port", "not a URL"),
        ("https://api.openai.com:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://my_resource.openai.azure.com", "host"),
        ("https://.openai.azure.com", "host"),
        ("https://[fe80::1%25eth0]", "host"),
        ("https://api.openai.com/v2", "path"),
        ("https://api.openai.com/openai/v1", "path"),
        ("https://res.openai.azure.com/openai/deployments/mine", "path"),
    ],
)
def test_a_base_that_cannot_work_is_refused_with_its_reason(base: str, word: str) -> None:
    with pytest.raises(SettingsError) as caught:
        derive(base)
    [problem] = caught.value.problems
    assert problem.setting == "OPENAI_BASE"
    assert word in problem.what
    assert derive(problem.example).provider == "azure"


def test_both_bases_are_reported_at_once() -> None:
    assert settings_at_fault("nowhere", "elsewhere") == ["OPENAI_BASE", "REALTIME_WS_BASE"]


@pytest.mark.parametrize(
    ("base", "websocket"),
    [
        (AZURE, "wss://api.openai.com/v1/realtime"),
        (AZURE, "wss://other.openai.azure.com/openai/v1/realtime"),
        (OPENAI, "wss://eu.api.openai.com/v1/realtime"),
        (AZURE, "wss://res.openai.azure.com/openai/realtime?api-version=1&deployment=x"),
        (AZURE, "ws://res.openai.azure.com/openai/v1/realtime"),
    ],
)
def test_a_websocket_base_at_odds_with_the_base_is_refused(base: str, websocket: str) -> None:
    assert settings_at_fault(base, websocket) == ["REALTIME_WS_BASE"]


def test_azure_rules_at_openai_are_a_forgotten_base() -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE: must name your Azure resource"):
        derive(provider="azure")


def test_call_addresses_are_those_of_the_sip_guide() -> None:
    endpoint = derive(AZURE)
    assert endpoint.call_url("rtc_u1_a", "accept") == f"{AZURE}/realtime/calls/rtc_u1_a/accept"
    websocket = "wss://res.openai.azure.com/openai/v1/realtime?call_id=rtc_u1_a"
    assert endpoint.sideband_url("rtc_u1_a") == websocket


def test_an_api_version_is_sent_only_if_set() -> None:
    endpoint = derive(AZURE, api_version="2025-04-01-preview")
    assert endpoint.call_url("rtc_1", "refer").endswith("/refer?api-version=2025-04-01-preview")
    assert endpoint.sideband_url("rtc_1").endswith("?call_id=rtc_1&api-version=2025-04-01-preview")
    assert "version" not in derive(AZURE).call_url("rtc_1", "refer")


def test_a_call_id_cannot_lead_elsewhere() -> None:
    url = derive().call_url("../../models?x=1#", "hangup")
    assert url == f"{OPENAI}/realtime/calls/..%2F..%2Fmodels%3Fx%3D1%23/hangup"
    assert derive().sideband_url("a&model=b").endswith("?call_id=a%26model%3Db")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "", "x"]
)
def test_anything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@given(st.sampled_from([base for base, _, _ in BASES]))
def test_what_was_derived_derives_to_itself(base: str) -> None:
    once = derive(base)
    assert derive(once.rest_base, once.ws_base) == once


urls = st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://", "http://", "wss://", "//", ""]),
    st.sampled_from(["api.openai.com", "r.openai.azure.com", "127.0.0.1", "[::1]", "e.example", ""])
    | st.text(max_size=12),
    st.text(alphabet="/openaiv1realtime.:?#@%[]\\ ", max_size=20) | st.text(max_size=12),
)


@given(urls, st.none() | urls)
def test_no_address_does_worse_than_a_settings_error(base: str, websocket: str | None) -> None:
    try:
        endpoint = derive(base, websocket)
    except SettingsError:
        return
    rest, ws = urlsplit(endpoint.rest_base), urlsplit(endpoint.ws_base)
    assert rest.path.endswith("/v1")
    assert ws.path.endswith("/v1/realtime")
    assert rest.scheme == "https" or (rest.scheme == "http" and is_loopback(rest.hostname or ""))
    assert ws.scheme == "wss" or (ws.scheme == "ws" and is_loopback(ws.hostname or ""))


def settings_at_fault(base: str, websocket: str | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        derive(base, websocket)
    return [problem.setting for problem in caught.value.problems]
