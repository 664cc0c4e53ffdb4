"""Brings the letters of the outbox: signed as Standard Webhooks says, tried again when refused.

At least once: a receiver that answers late may get the same `webhook-id` again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from offhook._version import __version__
from offhook.observe.logs import get_logger
from offhook.runtime.reach import PublicResolver, check_literal
from offhook.store.outbox import Letter, Outbox
from offhook.telephony.signature import sign

# The waits after each attempt that failed; together about a day and a half.
PAUSES_S: Final = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0)
POLL_S: Final = 2.0  # what other replicas have queued is found so soon
ATTEMPT_S: Final = 15.0
KEEP_SENT_S: Final = 7 * 24 * 3600.0
SWEEP_S: Final = 3600.0
_GONE: Final = "status 410"  # do not come again: https://www.standardwebhooks.com


class Courier:
    """Sends from `start` on, while it is entered; at once when `news` is set."""

    def __init__(
        self,
        outbox: Outbox,
        secret: str,
        *,
        private: bool = False,
        now: Callable[[], float] = time.time,
        poll_s: float = POLL_S,
        news: asyncio.Event | None = None,
    ) -> None:
        self._outbox = outbox
        self._secret = secret
        self._private = private
        self._now = now
        self._poll_s = poll_s
        self._news = news or asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._log = get_logger("outgoing")
        self._away = False
        self._swept = 0.0

    async def __aenter__(self) -> Courier:
        resolver = None if self._private else PublicResolver()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver),
            timeout=aiohttp.ClientTimeout(total=ATTEMPT_S),
            headers={"User-Agent": f"offhook/{__version__}"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._http.close()

    def start(self) -> None:
        """Bring from now on whatever is due."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                brought = await self.round()
                await self._sweep()
                self._away = False
            except (SQLAlchemyError, OSError) as error:
                brought = 0
                if not self._away:
                    self._log.warning("the outbox cannot be read", detail=type(error).__name__)
                self._away = True
            if not brought:
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._news.wait()
        except TimeoutError:
            pass

    async def round(self) -> int:
        """Try what is due just now; how many letters that were."""
        letters = await self._outbox.claim()
        tried = (self._bring(letter) for letter in letters)
        for wrong in await asyncio.gather(*tried, return_exceptions=True):
            if wrong is not None:
                raise wrong
        return len(letters)

    async def _bring(self, letter: Letter) -> None:
        why, wait = await self._post(letter)
        if why is None:
            await self._outbox.sent(letter)
            self._log.info("told", **self._of(letter))
            return
        pause = None if why == _GONE else again_in(letter.tries, wait)
        await self._outbox.failed(letter, why, pause)
        if pause is None:
            self._log.error(
                "nobody took it; see `offhook webhooks dead`", **self._of(letter), detail=why
            )
        else:
            self._log.warning("not taken", **self._of(letter), detail=why, again_in_s=round(pause))

    async def _post(self, letter: Letter) -> tuple[str | None, float | None]:
        """Why it did not arrive, if so, and how long the receiver wants us to wait."""
        body, at = letter.body.encode(), int(self._now())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": letter.id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(self._secret, letter.id, at, body),
        }
        try:
            if not self._private:
                check_literal(urlsplit(letter.url).hostname or "")
            async with self._http.post(
                letter.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if 200 <= answer.status < 300:
                    return None, None
                return f"status {answer.status}", _retry_after(answer.headers.get("Retry-After"))
        except TimeoutError:
            return f"no answer within {ATTEMPT_S:g} s", None
        except (aiohttp.ClientError, OSError) as error:
            return f"{type(error).__name__}: {error}"[:300], None

    async def _sweep(self) -> None:
        if self._now() - self._swept >= SWEEP_S:
            self._swept = self._now()
            await self._outbox.forget(KEEP_SENT_S)

    @staticmethod
    def _of(letter: Letter) -> dict[str, object]:
        """What a log line says of a letter. Of its address the host only: more may be secret."""
        host = urlsplit(letter.url).hostname
        return {"webhook": letter.id, "kind": letter.kind, "call_id": letter.call_id, "host": host}


def again_in(tries: int, wait: float | None = None) -> float | None:
    """Seconds until the next attempt after `tries` others and this one, or None: give up.

    A fifth of chance, so that many letters do not come back at the same moment.
    """
    if tries >= len(PAUSES_S):
        return None
    pause = max(PAUSES_S[tries], wait or 0.0)
    return pause * random.uniform(0.8, 1.2)  # noqa: S311


def _retry_after(text: str | None) -> float | None:
    """What the receiver asks for, in seconds, up to an hour."""
    return min(float(text), 3600.0) if text and text.isascii() and text.isdigit() else None
