"""What the server says besides the webhook: that it lives, that it is ready, what it is."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import aiohttp

from offhook import __version__
from offhook.simulator import Hears, Script
from support.serving import Service, serving


async def get(service: Service, path: str) -> tuple[int, Any]:
    """Status and JSON of a page."""
    async with aiohttp.ClientSession() as http, http.get(service.url + path) as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


async def test_the_root_says_what_this_is_and_nothing_of_calls() -> None:
    async with serving() as service:
        call = await service.ring()
        await call.reached("attach")
        status, page = await get(service, "/")
        assert status == 200
        assert page == {
            "service": "offhook",
            "version": __version__,
            "webhook": "/openai/webhook",
        }


async def test_a_process_that_lives_says_so() -> None:
    async with serving() as service:
        assert await get(service, "/healthz") == (200, {"ok": True})


async def test_a_process_that_takes_calls_is_ready() -> None:
    async with serving() as service:
        assert await get(service, "/readyz") == (200, {"ready": True})


async def test_nothing_else_is_there_and_that_is_said_in_json() -> None:
    async with serving() as service:
        status, page = await get(service, "/docs")
        assert status == 404
        assert page["error"]["code"] == "not_found"
        assert "/openai/webhook" in page["error"]["message"]


async def test_who_opens_the_webhook_in_a_browser_is_told_in_json_that_it_takes_post() -> None:
    async with serving() as service:
        status, page = await get(service, "/openai/webhook")
        assert status == 405
        assert page["error"]["code"] == "method_not_allowed"
        assert "POST /openai/webhook" in page["error"]["message"]


async def test_the_server_does_not_tell_what_it_is_made_of() -> None:
    async with (
        serving() as service,
        aiohttp.ClientSession() as http,
        http.get(service.url) as answer,
    ):
        assert "server" not in answer.headers


async def test_while_leaving_a_process_is_alive_but_not_ready() -> None:
    async with serving() as service:
        call = await service.ring(Script(steps=(Hears(),)))
        await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        await service.log.reached("draining", live_calls=1)
        assert await get(service, "/readyz") == (503, {"ready": False, "reason": "draining"})
        assert await get(service, "/healthz") == (200, {"ok": True})
        call.caller_hangs_up()
        await service.ended(call)


async def test_a_call_that_comes_while_leaving_is_turned_away() -> None:
    async with serving(OFFHOOK_REJECT_CODE="480") as service:
        call = await service.ring(Script(steps=(Hears(),)))
        await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        await service.log.reached("draining")
        late = await service.ring()
        assert late.webhook_status == 200
        assert (await late.reached("reject")).detail == {"status_code": 480}
        assert late.marks("accept") == []
        call.caller_hangs_up()
        await service.ended(call)


async def test_a_process_without_calls_leaves_at_once() -> None:
    async with serving() as service:
        service.server.handle_exit(signal.SIGTERM, None)
        async with asyncio.timeout(2):
            await service.process
