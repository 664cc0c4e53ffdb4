"""The way to the cloud follows the system: its trust, `SSL_CERT_FILE`, `HTTPS_PROXY`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from offhook.config import Endpoint, derive
from offhook.core.events import Refusal
from offhook.realtime import requests
from offhook.runtime.cloud import Cloud, Refused
from offhook.simulator import Simulator

HEADERS = {"Authorization": "Bearer sim-key"}
NO_SUCH_CALL = "rtc_u0_none"


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def simulator(ca: trustme.CA, host: str) -> AsyncIterator[int]:
    """A simulator that speaks TLS under this name; its port."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(tls)
    async with Simulator("openai", api_key="sim-key", ssl_context=tls) as cloud:
        yield int(cloud.base_url.rpartition(":")[2])


async def ask(endpoint: Endpoint) -> Refused:
    """Hang up a call that is not there: what matters is who answers."""
    async with Cloud(endpoint, HEADERS, warm=0) as cloud:
        with pytest.raises(Refused) as refused:
            await cloud.post(NO_SUCH_CALL, requests.HANG_UP, 5.0)
        return refused.value


async def test_a_certificate_from_ssl_cert_file_is_trusted(
    ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with simulator(ca, "127.0.0.1") as port:
        refused = await ask(derive(f"https://127.0.0.1:{port}/v1"))
    assert refused.refusal is Refusal.GONE  # the cloud itself has answered


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(ca: trustme.CA) -> None:
    async with simulator(ca, "127.0.0.1") as port:
        refused = await ask(derive(f"https://127.0.0.1:{port}/v1"))
    assert refused.refusal is Refusal.BUSY
    assert "SSLCert" in refused.detail


async def test_the_proxy_of_the_environment_is_used(
    ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    asked: list[bytes] = []
    async with simulator(ca, "cloud.example") as port, proxy(port, asked) as proxy_port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        refused = await ask(derive("https://cloud.example/v1", provider="openai"))
    assert refused.refusal is Refusal.GONE
    assert asked == [b"CONNECT cloud.example:443 HTTP/1.1"]


async def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Simulator("openai", api_key="sim-key") as cloud:
        refused = await ask(derive(cloud.base_url))
    assert refused.refusal is Refusal.GONE


@asynccontextmanager
async def proxy(target_port: int, asked: list[bytes]) -> AsyncIterator[int]:
    """An HTTP proxy that tunnels whatever is asked of it to one port on loopback."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    tunnels: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnels.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.partition(b"\r\n")[0])
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target_port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        for each in (writer, inner_writer):
            with suppress(OSError):
                await each.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait([t for t in tunnels if t is not None], timeout=5)
