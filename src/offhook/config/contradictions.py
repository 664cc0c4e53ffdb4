"""What is missing, and what cannot be true together. Each value for itself is fine by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from offhook.config.endpoint import Endpoint, is_loopback
from offhook.errors import Problem

Values = Mapping[str, object]


def missing(values: Values, given: Set[str], endpoint: Endpoint | None) -> Iterator[Problem]:
    """Settings without which no call can be taken."""
    if "OPENAI_API_KEY" not in given:
        yield Problem("OPENAI_API_KEY", "is required to take calls", "sk-...")
    match values:
        case {"OPENAI_WEBHOOK_SECRET": (), "TEST_MODE": False}:
            what = (
                "is required: the signing secret that the cloud shows once when you create the "
                "webhook. To try things out on loopback, TEST_MODE=1 does without"
            )
            yield Problem("OPENAI_WEBHOOK_SECRET", what, "whsec_...")
    if endpoint and endpoint.provider == "azure" and "REALTIME_MODEL" not in given:
        what = "is required with Azure: the name that you gave to your deployment"
        yield Problem("REALTIME_MODEL", what, "my-deployment")
    yield from _partners(values)


def _partners(values: Values) -> Iterator[Problem]:
    """Settings that do nothing without another."""
    match values:
        case {"OFFHOOK_WEBHOOK_URL": tuple(urls), "OFFHOOK_WEBHOOK_SECRET": None} if urls:
            what = "is required with OFFHOOK_WEBHOOK_URL: what is not signed, nobody should believe"
            yield Problem("OFFHOOK_WEBHOOK_SECRET", what, "whsec_...")
    match values:
        case {"OFFHOOK_OIDC_ISSUER": str(), "OFFHOOK_OIDC_CLIENT_ID": None}:
            what = "is required with OFFHOOK_OIDC_ISSUER: the id of offhook at the provider"
            yield Problem("OFFHOOK_OIDC_CLIENT_ID", what, "11111111-1111-1111-1111-111111111111")


def contradictions(values: Values, given: Set[str], endpoint: Endpoint | None) -> Iterator[Problem]:
    """Valid settings at odds. What is not in `values` was refused before and is left alone."""
    yield from _test_mode(values)
    yield from _turns(values, given)
    yield from _model(values, endpoint)
    yield from _times(values)
    yield from _webhooks(values)


def _webhooks(values: Values) -> Iterator[Problem]:
    match values:
        case {"OFFHOOK_WEBHOOK_URL": tuple(urls), "OFFHOOK_WEBHOOK_PRIVATE": False} if any(
            url.startswith("http:") for url in urls
        ):
            what = "must be https:// addresses, unless OFFHOOK_WEBHOOK_PRIVATE=1"
            yield Problem("OFFHOOK_WEBHOOK_URL", what, "https://crm.example.com/offhook")


def _test_mode(values: Values) -> Iterator[Problem]:
    match values:
        case {"TEST_MODE": True, "OFFHOOK_HOST": str(host)} if not is_loopback(host):
            what = (
                "takes webhooks that nobody signed, so it is for loopback only: on the address "
                "in OFFHOOK_HOST anyone could make the bot take and transfer calls"
            )
            yield Problem("TEST_MODE", what, "0")


def _turns(values: Values, given: Set[str]) -> Iterator[Problem]:
    server_only = {"OFFHOOK_VAD_THRESHOLD", "OFFHOOK_VAD_SILENCE_MS", "OFFHOOK_VAD_PREFIX_MS"}
    if values.get("OFFHOOK_IDLE_TIMEOUT_MS") != 0:  # off is what semantic VAD has anyway
        server_only |= {"OFFHOOK_IDLE_TIMEOUT_MS"}
    match values:
        case {"OFFHOOK_VAD": "semantic"}:
            for name in sorted(server_only & given):
                what = "works with OFFHOOK_VAD=server only; with semantic the cloud refuses it"
                yield Problem(name, what, "no value")
        case {"OFFHOOK_VAD": "server"} if "OFFHOOK_VAD_EAGERNESS" in given:
            what = "works with OFFHOOK_VAD=semantic only"
            yield Problem("OFFHOOK_VAD_EAGERNESS", what, "no value")


def _model(values: Values, endpoint: Endpoint | None) -> Iterator[Problem]:
    if endpoint is None or endpoint.provider != "openai":
        return
    match values:
        case {"REALTIME_MODEL": str(model), "OFFHOOK_REASONING_EFFORT": str()} if model.startswith(
            "gpt-realtime-1.5"
        ):
            what = "is refused by gpt-realtime-1.5, which does not reason"
            yield Problem("OFFHOOK_REASONING_EFFORT", what, "no value")


def _times(values: Values) -> Iterator[Problem]:
    match values:
        case {"OFFHOOK_MAX_CALL_MINUTES": float(longest), "OFFHOOK_WRAP_UP_S": float(warning)} if (
            warning >= longest * 60
        ):
            what = "must be shorter than the call itself, which OFFHOOK_MAX_CALL_MINUTES limits"
            yield Problem("OFFHOOK_WRAP_UP_S", what, f"{longest * 30:g}")
    match values:
        case {"OFFHOOK_RING_BUDGET_MS": int(budget), "OFFHOOK_ACCEPT_TIMEOUT_MS": int(one)} if (
            one > budget
        ):
            what = "one try to accept must fit into OFFHOOK_RING_BUDGET_MS"
            yield Problem("OFFHOOK_ACCEPT_TIMEOUT_MS", what, f"{budget // 2}")
