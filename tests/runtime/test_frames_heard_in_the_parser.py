"""Text frames of a sideband are heard as they are parsed, whatever the bytes come in.

The peer is a bare socket, so that every byte is chosen. All of it holds as well for aiohttp's own
class, which takes over where the internals of aiohttp are others than we know.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from collections.abc import AsyncIterator, Awaitable
from contextvars import ContextVar
from typing import Any

import aiohttp
import pytest

from offhook.config import derive
from offhook.realtime.frames import head
from offhook.runtime import cloud, direct
from offhook.runtime.cloud import Cloud, Socket
from offhook.runtime.coalescing import Coalescer
from offhook.runtime.direct import DirectSocket
from offhook.runtime.sideband import Frames, Sideband

TEXT, CLOSE, PING, PONG, CONTINUATION = 1, 8, 9, 10, 0
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def frame(payload: bytes, opcode: int = TEXT, *, fin: bool = True, rsv: int = 0) -> bytes:
    """One frame of a server, so unmasked."""
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 2**16:
        return head + b"\x7e" + struct.pack("!H", len(payload)) + payload
    return head + b"\x7f" + struct.pack("!Q", len(payload)) + payload


END = frame(struct.pack("!H", 1000), CLOSE)
WHOSE = ContextVar("WHOSE", default="nobody's")


class Peer:
    """The other end: `glued` leaves in one go with the answer to the handshake."""

    def __init__(self) -> None:
        self.glued = b""
        self.port = 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        key = next(v for k, v in fields.items() if k.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324
        self.reader, self.writer = reader, writer
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + self.glued
        )
        await self.over.wait()
        writer.close()

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def got(self) -> tuple[int, bytes]:
        """The next frame of the client: its opcode, and what was masked."""
        first, second = await self.reader.readexactly(2)
        assert second & 0x80
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(length)
        return first & 0x0F, bytes(b ^ mask[n % 4] for n, b in enumerate(masked))


class Wire:
    """A transport that keeps each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.write = self.writes.append

    def is_closing(self) -> bool:
        return False


class Ear:
    """A sideband and what it has heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[str] = []
        self.answers: list[bytes] = []  # what to send when the next frame is heard
        self.more = asyncio.Condition()
        self.times: list[float] = []
        self.coalescer = Coalescer(wait=0.0)
        self.band = Sideband(self.hear, self.lost.append, coalescer=self.coalescer)
        self.band.patient = frozenset({head(b"patient 1")})

    def hear(self, frames: Frames) -> None:
        while frames:
            raw, at = frames.popleft()
            self.heard.append(raw)
            self.times.append(at)
            if raw == b"bug":
                raise RuntimeError("a bug")
            self.band.send(self.answers)
            self.answers = []


@pytest.fixture(params=[direct.SOCKET, aiohttp.ClientWebSocketResponse], ids=["ours", "theirs"])
async def line(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Peer, Cloud]]:
    """A peer, and a cloud client whose sockets are of the one class or the other."""
    monkeypatch.setattr(cloud, "SOCKET", request.param)
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    async with Cloud(derive(f"http://127.0.0.1:{peer.port}/v1"), {}, warm=0) as client:
        yield peer, client
    peer.over.set()
    server.close()


Line = tuple[Peer, Cloud]


async def attach(client: Cloud) -> tuple[Ear, Socket]:
    socket = await client.attach("rtc_1", 5.0)
    ear = Ear()
    ear.band.adopt(socket)
    return ear, socket


async def heard_all(line: Line, *parts: bytes) -> Ear:
    """Send these bytes one after the other and a close; what was heard until then."""
    peer, client = line
    ear, socket = await attach(client)
    reading = asyncio.create_task(ear.band.read(socket))
    for part in (*parts, frame(struct.pack("!H", 4001) + b"that is all", CLOSE)):
        await asyncio.sleep(0)
        peer.send(part)
        await peer.writer.drain()
    await reading
    return ear


def test_this_aiohttp_can_be_listened_to() -> None:
    """If this fails after an upgrade, calls still work, but cost more: see `direct`."""
    assert direct.SOCKET is DirectSocket


async def test_the_text_of_a_line_does_not_pass_through_receive() -> None:
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Cloud(derive(f"http://127.0.0.1:{port}/v1"), {}, warm=0) as client:
        socket = await client.attach("rtc_1", 5.0)
        assert isinstance(socket, DirectSocket)
        heard: list[bytes] = []
        socket.hear(lambda _, raw, __: heard.append(raw))
        peer.send(frame(b"a"), frame(b"b"), frame(b"", PING), frame(b"c"))
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING
        assert heard == [b"a", b"b"]  # what comes after a ping waits until that is seen
        assert (await socket.receive()).data == b"c"
        peer.send(frame(b"d"), END)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert heard == [b"a", b"b", b"d"]
    peer.over.set()
    server.close()


async def test_frames_that_wait_together_are_sent_in_one_write() -> None:
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    async with Cloud(derive(f"http://127.0.0.1:{peer.port}/v1"), {}, warm=0) as client:
        ear, socket = await attach(client)
        wire = Wire()
        real = socket._writer.transport
        socket._writer.transport = wire  # type: ignore[assignment]
        ear.band.send([b"a", b"b"])
        await ear.band.flush()
        ear.band.send([b"c"])
        await ear.band.flush()
        assert [len(w) for w in wire.writes] == [2 * (2 + 4 + 1), 2 + 4 + 1]
        socket._writer.transport = real
        peer.over.set()
        await ear.band.read(socket)
    server.close()


async def test_frames_that_were_sent_together_arrive_in_order(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    ear.band.send([b"a", b"b", b"c"])
    await ear.band.flush()
    assert [await peer.got() for _ in "abc"] == [(TEXT, b"a"), (TEXT, b"b"), (TEXT, b"c")]
    peer.over.set()
    await ear.band.read(socket)


async def test_frames_are_heard_in_order_and_the_close_code_is_told(line: Line) -> None:
    ear = await heard_all(line, frame(b"1"), frame(b"2") + frame(b"3"))
    assert ear.heard == [b"1", b"2", b"3"]
    assert ear.lost == ["close code 4001 that is all"]


async def test_frames_that_came_with_the_handshake_are_heard_first(line: Line) -> None:
    whole = frame(b"2" * 200)
    line[0].glued = frame(b"1") + whole[:90]
    ear = await heard_all(line, whole[90:], frame(b"3"))
    assert ear.heard == [b"1", b"2" * 200, b"3"]


async def test_a_frame_may_come_byte_by_byte(line: Line) -> None:
    ear = await heard_all(line, *(bytes([b]) for b in frame(b"x" * 130)))
    assert ear.heard == [b"x" * 130]


async def test_a_message_in_fragments_is_heard_as_one(line: Line) -> None:
    peer, _ = line
    ear = await heard_all(
        line,
        frame(b"one ", fin=False),
        frame(b"7", PING) + frame(b"mes", CONTINUATION, fin=False),
        frame(b"sage", CONTINUATION),
    )
    assert ear.heard == [b"one message"]
    assert await peer.got() == (PONG, b"7")


async def test_a_frame_of_any_size_is_heard(line: Line) -> None:
    ear = await heard_all(line, frame(b"x" * 5_000_000))
    assert [len(raw) for raw in ear.heard] == [5_000_000]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (frame(b"2", rsv=0x40), 1002),
        (frame(b"2", opcode=3), 1002),
        (frame(b"2", CONTINUATION), 1002),
        (frame(b"x" * 200, PING), 1002),
        (b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
    ],
    ids=["reserved bit", "unknown kind", "end without begin", "large ping", "absurd length"],
)
async def test_a_broken_frame_ends_the_line_after_what_was_right(
    line: Line, broken: bytes, code: int
) -> None:
    ear = await heard_all(line, frame(b"1"), broken, frame(b"3"))
    assert ear.heard == [b"1"]
    assert len(ear.lost) == 1
    assert f"close code {code}" in ear.lost[0]


@pytest.mark.parametrize("rest", [b"", frame(b"half of it")[:5]], ids=["nothing", "half a frame"])
async def test_a_line_that_breaks_off_is_lost_once(line: Line, rest: bytes) -> None:
    peer, client = line
    ear, socket = await attach(client)
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"1"), rest)
    await peer.writer.drain()
    peer.writer.transport.abort()
    await reading
    assert ear.heard in ([b"1"], [])  # an abort may overtake what was sent
    assert len(ear.lost) == 1


async def test_what_hearing_leads_to_is_sent(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    ear.answers = [b"first", b"second"]
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"1"))
    assert await peer.got() == (TEXT, b"first")
    assert await peer.got() == (TEXT, b"second")
    peer.send(END)
    await reading


async def test_frames_are_heard_in_the_context_of_their_reader(line: Line) -> None:
    """The connection may come out of a pool, and was made for another call then."""
    peer, client = line
    socket = await client.attach("rtc_1", 5.0)
    heard: list[str] = []

    def hear(frames: Frames) -> None:
        frames.clear()
        heard.append(WHOSE.get())

    band = Sideband(hear, heard.append)
    band.adopt(socket)
    WHOSE.set("this call's")
    reading = asyncio.create_task(band.read(socket))
    await asyncio.sleep(0)
    WHOSE.set("another call's")
    peer.send(frame(b"1"))
    peer.send(END)
    await reading
    assert heard == ["this call's", "close code 1000"]


async def test_what_can_wait_is_heard_when_the_coalescer_comes_round(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    ear.answers = [b"seen"]
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"patient 1"))
    assert await peer.got() == (TEXT, b"seen")
    assert ear.heard == [b"patient 1"]
    peer.send(END)
    await reading


async def test_what_cannot_wait_takes_along_what_came_before_it(line: Line) -> None:
    ear = await heard_all(line, frame(b"patient 1") + frame(b"patient 2") + frame(b"now"))
    assert ear.heard == [b"patient 1", b"patient 2", b"now"]
    assert ear.times == sorted(ear.times)


async def test_what_waits_is_heard_before_the_loss_of_the_line(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    ear.band = Sideband(ear.hear, ear.lost.append, coalescer=Coalescer(wait=60.0))
    ear.band.patient = frozenset({head(b"1")})
    ear.band.adopt(socket)
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"1") + frame(b"2") + END)
    await reading
    assert ear.heard == [b"1", b"2"]
    assert len(ear.lost) == 1


async def test_a_bug_met_when_the_coalescer_comes_round_comes_out_of_the_reader(
    line: Line,
) -> None:
    peer, client = line
    ear, socket = await attach(client)
    ear.band = Sideband(ear.hear, ear.lost.append, coalescer=Coalescer(0))
    ear.band.patient = frozenset({head(b"bug")})
    ear.band.adopt(socket)
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await reading
    peer.send(END)
    await socket.close()


async def test_what_is_sent_together_arrives_in_order_whatever_its_length(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    reading = asyncio.create_task(ear.band.read(socket))
    sent = [b"x" * length for length in (0, 1, 125, 126, 65_535, 65_536, 300_000)]
    ear.band.send(sent)
    await ear.band.flush()
    assert [await peer.got() for _ in sent] == [(TEXT, one) for one in sent]
    peer.send(END)
    await reading


async def test_frames_on_a_closing_line_are_refused(line: Line) -> None:
    peer, client = line
    _, socket = await attach(client)
    peer.send(END)
    await socket.receive()
    late: Awaitable[None]
    if isinstance(socket, DirectSocket):
        late = socket.send_frames([b"too late"])
    else:
        late = socket.send_frame(b"too late", aiohttp.WSMsgType.TEXT)
    with pytest.raises(aiohttp.ClientConnectionResetError):
        await late


async def test_what_comes_while_we_close_is_heard_by_nobody(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    reading = asyncio.create_task(ear.band.read(socket))
    await asyncio.sleep(0)
    ear.band.detach()
    closing = asyncio.create_task(socket.close())
    assert (await peer.got())[0] == CLOSE
    peer.send(frame(b"too late"), END)
    await asyncio.gather(closing, reading)
    assert (ear.heard, ear.lost) == ([], [])


async def test_a_bug_met_while_hearing_comes_out_of_the_reader(line: Line) -> None:
    peer, client = line
    ear, socket = await attach(client)
    reading = asyncio.create_task(ear.band.read(socket))
    peer.send(frame(b"bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await reading
    assert ear.lost == []
    peer.send(END)
    await socket.close()
    assert ear.heard == [b"bug"]


@pytest.mark.parametrize("what", ["raises", "is deaf"])
def test_another_aiohttp_is_left_alone(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    class Reader:
        def __init__(self, *_: Any, **__: Any) -> None:
            if what == "raises":
                raise TypeError("takes other arguments now")

        def feed_data(self, _: bytes) -> None:
            pass

    monkeypatch.setattr(direct, "WebSocketReader", Reader)
    assert not direct._fits()


def test_an_aiohttp_that_writes_in_another_way_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Writer:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.pipe = None

    monkeypatch.setattr(direct, "WebSocketWriter", Writer)
    assert not direct._fits()


def test_an_aiohttp_that_masks_in_another_way_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(direct, "websocket_mask", lambda mask, data: None)
    assert not direct._fits()
