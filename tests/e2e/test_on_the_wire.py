"""The requests as the clouds get them: addresses and headers."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import __version__
from offhook.simulator import CallsTools, HangsUp, Hears, Says
from support.serving import GREETING, said, serving

GREETED = (Hears(), HangsUp())


async def requests(profile: Any, version: str = "") -> list[Any]:
    """What a short call and a hang-up of ours put on the wire."""
    async with serving(profile=profile, tapped=True, REALTIME_API_VERSION=version) as service:
        bye = CallsTools(("end_call", {"reason": "done"}))
        call = await service.talk(Hears(), Says("Bye."), model=(bye,))
        assert said(call)[0] == GREETING
        return [r for r in service.tap.requests if not r.target.endswith("/realtime/calls")]


async def test_openai_gets_a_bearer_key_below_v1() -> None:
    found = await requests("openai")
    kinds = {r.target.rpartition("/")[2].partition("?")[0] for r in found}
    assert kinds == {"accept", "realtime", "hangup"}
    for request in found:
        assert request.target.startswith("/v1/realtime")
        assert request.headers["authorization"] == "Bearer sim-key"
        assert "api-key" not in request.headers


async def test_azure_gets_an_api_key_below_openai_v1_and_no_api_version() -> None:
    found = await requests("azure")
    kinds = {r.target.rpartition("/")[2].partition("?")[0] for r in found}
    assert kinds == {"accept", "realtime", "hangup"}
    for request in found:
        assert request.target.startswith("/openai/v1/realtime")
        assert "api-version" not in request.target
        assert request.headers["api-key"] == "sim-key"
        assert "authorization" not in request.headers


async def test_an_api_version_is_sent_where_somebody_has_asked_for_it() -> None:
    found = await requests("azure", "2025-04-01-preview")
    assert found
    assert all("api-version=2025-04-01-preview" in r.target for r in found)


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_no_request_names_the_beta_and_each_one_says_who_asks(profile: Any) -> None:
    found = await requests(profile)
    for request in found:
        assert "openai-beta" not in request.headers
        assert request.headers["user-agent"] == f"offhook/{__version__}"


async def test_the_sideband_is_opened_by_the_id_of_the_call_alone() -> None:
    async with serving(tapped=True) as service:
        call = await service.talk(*GREETED)
        upgrades = [r for r in service.tap.requests if "upgrade" in r.headers]
        assert upgrades[0].target == f"/v1/realtime?call_id={call.call_id}"


async def test_a_call_rides_on_connections_that_were_open_before_it() -> None:
    async with serving(tapped=True, OFFHOOK_WARM_CONNECTIONS="3") as service:
        call = await service.talk(*GREETED)
        assert said(call) == [GREETING]
        warmed = [r for r in service.tap.requests if r.target == "/v1/realtime/calls"]
        assert len(warmed) >= 3
        assert all(r.method == "GET" for r in warmed)
