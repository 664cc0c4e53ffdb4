"""The client of the cloud against a server that does whatever a test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from offhook.config.endpoint import Endpoint
from offhook.core.events import Refusal
from offhook.realtime import requests
from offhook.runtime.cloud import Cloud, Refused

ACCEPT = requests.reject(486)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cloudlike:
    """A server that answers as told, and notes what it was asked and by how many connections."""

    def __init__(self) -> None:
        self.answer: Answer = self.fine
        self.requests: list[web.Request] = []
        self.connections: set[object] = set()
        self.base = ""

    async def fine(self, request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"x-request-id": "req_1"})

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.connections.add(request.transport)
        await request.read()
        return await self.answer(request)

    @property
    def posts(self) -> list[web.Request]:
        return [r for r in self.requests if r.method == "POST"]

    def client(self, *, warm: int = 0) -> Cloud:
        ws = self.base.replace("http", "ws", 1)
        endpoint = Endpoint("openai", f"{self.base}/v1", f"{ws}/v1/realtime")
        return Cloud(endpoint, {"Authorization": "Bearer sk-test"}, warm=warm)

    async def serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner


@pytest.fixture
async def server() -> AsyncIterator[Cloudlike]:
    server = Cloudlike()
    runner = await server.serve()
    yield server
    await runner.cleanup()


async def refused(cloud: Cloud, within: float = 5.0) -> Refused:
    """How a post is refused."""
    with pytest.raises(Refused) as caught:
        await cloud.post("rtc_1", ACCEPT, within)
    return caught.value


async def test_an_answer_names_the_request_for_the_support_of_the_cloud(server: Cloudlike) -> None:
    async with server.client() as cloud:
        answer = await cloud.post("rtc_1", ACCEPT, 5.0)
    assert (answer.status, answer.request_id) == (200, "req_1")
    (post,) = server.posts
    assert post.path == "/v1/realtime/calls/rtc_1/reject"
    assert post.headers["Authorization"] == "Bearer sk-test"
    assert post.content_type == "application/json"


async def test_a_hang_up_has_no_body_and_no_content_type(server: Cloudlike) -> None:
    async with server.client() as cloud:
        await cloud.post("rtc_1", requests.HANG_UP, 5.0)
    assert server.posts[0].content_length in (None, 0)
    assert server.posts[0].headers.get("Content-Type") != "application/json"


async def test_a_call_id_cannot_lead_to_another_address(server: Cloudlike) -> None:
    async with server.client() as cloud:
        await cloud.post("../../rtc_1?x=", ACCEPT, 5.0)
    path = server.posts[0].raw_path
    assert path.startswith("/v1/realtime/calls/..%2F..%2Frtc_1%3Fx")
    assert path.endswith("/reject")


async def test_nobody_listening_is_busy_and_surely_not_done() -> None:
    nobody = Cloudlike()
    runner = await nobody.serve()
    await runner.cleanup()
    async with nobody.client() as cloud:
        error = await refused(cloud)
    assert (error.refusal, error.unsure) == (Refusal.BUSY, False)
    assert "127.0.0.1" not in error.detail


async def test_no_answer_in_time_is_busy_and_perhaps_done(server: Cloudlike) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer = hang
    async with server.client() as cloud:
        error = await refused(cloud, within=0.1)
    assert (error.refusal, error.unsure) == (Refusal.BUSY, True)
    assert error.detail == "no answer within 0.1 s"


async def test_a_connection_that_breaks_is_busy_and_perhaps_done(server: Cloudlike) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = cut
    async with server.client() as cloud:
        error = await refused(cloud)
    assert (error.refusal, error.unsure) == (Refusal.BUSY, True)
    assert "sk-test" not in error.detail
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("status", "refusal", "unsure"),
    [
        (500, Refusal.BUSY, True),
        (503, Refusal.BUSY, True),
        (429, Refusal.BUSY, False),
        (408, Refusal.BUSY, False),
        (404, Refusal.GONE, False),
        (409, Refusal.TAKEN, False),
        (401, Refusal.WRONG, False),
        (302, Refusal.WRONG, False),
    ],
)
async def test_what_a_status_means(
    status: int, refusal: Refusal, unsure: bool, server: Cloudlike
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {"x-request-id": "req_9", "Location": "/elsewhere"}
        return web.Response(status=status, text="<html>no JSON</html>", headers=headers)

    server.answer = answer
    async with server.client() as cloud:
        error = await refused(cloud)
    assert (error.refusal, error.unsure) == (refusal, unsure)
    assert error.detail == f"http {status} [req_9]"


async def test_a_redirect_is_not_followed_so_that_the_key_stays_here(server: Cloudlike) -> None:
    async def away(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{server.base}/elsewhere"})

    server.answer = away
    async with server.client() as cloud:
        await refused(cloud)
    assert len(server.posts) == 1


async def test_a_request_rides_on_a_connection_that_is_open_already(server: Cloudlike) -> None:
    warmed = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            warmed.set()
        return web.Response()

    server.answer = answer
    async with server.client(warm=1) as cloud:
        await warmed.wait()
        for _ in range(3):
            await cloud.post("rtc_1", ACCEPT, 5.0)
    assert len(server.posts) == 3
    assert len(server.connections) <= 2


async def test_a_connection_that_a_call_took_is_replaced_by_a_new_one(server: Cloudlike) -> None:
    warmers: list[object] = []
    filled, refilled = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return web.Response()
        if request.path == "/v1/realtime":
            return await a_sideband(request)
        warmers.append(request.transport)
        await together(2 if not filled.is_set() else 4)
        return web.Response(status=404, text="{}")

    async def together(number: int) -> None:
        """Requests that are under way at once cannot share a connection."""
        done = refilled if filled.is_set() else filled
        if len(warmers) >= number:
            done.set()
        await done.wait()

    async def a_sideband(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    server.answer = answer
    async with server.client(warm=2) as cloud:
        await filled.wait()
        await cloud.post("rtc_1", ACCEPT, 5.0)
        socket = await cloud.attach("rtc_1", 5.0)
        await refilled.wait()
        await socket.close()
    assert len(set(warmers[:2])) == 2
    assert len(set(warmers[2:])) == 2
    assert len(server.connections) <= 4  # two that are kept ready, and those of the call


async def test_a_sideband_that_is_refused_says_how(server: Cloudlike) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    server.answer = answer
    async with server.client() as cloud:
        with pytest.raises(Refused) as caught:
            await cloud.attach("rtc_1", 5.0)
    assert (caught.value.refusal, caught.value.detail) == (Refusal.GONE, "http 404")


async def test_a_sideband_that_never_opens_is_given_up_in_time(server: Cloudlike) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer = hang
    async with server.client() as cloud:
        with pytest.raises(Refused) as caught:
            await cloud.attach("rtc_1", 0.1)
    assert caught.value.refusal is Refusal.BUSY


async def test_a_sideband_carries_frames_of_any_size(server: Cloudlike) -> None:
    """The session object with many tools in it is larger than what clients take by default."""
    huge = "x" * 5_000_000

    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(huge)
        await socket.receive()
        return socket

    server.answer = upgrade
    async with server.client() as cloud:
        socket = await cloud.attach("rtc_1", 5.0)
        assert (await socket.receive()).data == huge.encode()
        await socket.close()
    assert server.requests[0].headers["Authorization"] == "Bearer sk-test"


async def test_outside_its_context_the_client_is_of_no_use(server: Cloudlike) -> None:
    cloud = server.client()
    with pytest.raises(RuntimeError, match="outside its context"):
        await cloud.post("rtc_1", ACCEPT, 5.0)
    async with cloud:
        assert isinstance(cloud.http, aiohttp.ClientSession)
    assert cloud.http.closed
