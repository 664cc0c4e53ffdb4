"""What one call asks of the cloud over REST. Every answer comes back as an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from offhook.core import events as on
from offhook.core.events import Refusal
from offhook.realtime import requests
from offhook.realtime.requests import Request
from offhook.runtime.cloud import Cloud, Refused

REQUEST_S = 10.0  # reject, refer and hang-up; none of them is in a hurry that a caller notices


class Errands:
    """`confirmed` is asked before what cannot be undone; if it says no, nothing is done."""

    def __init__(
        self,
        cloud: Cloud,
        post: Callable[[on.Event], None],
        report: Callable[[on.Event], Awaitable[None]],
        confirmed: Callable[[], Awaitable[bool]],
    ) -> None:
        self._cloud = cloud
        self._post = post
        self._report = report
        self._confirmed = confirmed

    async def accept(self, call_id: str, request: Request, within: float, *, again: bool) -> None:
        """Accept it; `again`: another process may have done so."""
        if again and not await self._confirmed():
            return
        try:
            await self._cloud.post(call_id, request, within)
        except Refused as r:
            self._post(on.AcceptRefused(r.refusal, r.detail, r.unsure))
        else:
            self._post(on.Accepted())

    async def reject(self, call_id: str, code: int) -> None:
        """Turn it away."""
        try:
            await self._cloud.post(call_id, requests.reject(code), REQUEST_S)
        except Refused as r:
            gone = r.refusal is Refusal.GONE
            self._post(on.Rejected() if gone else on.RejectFailed(r.detail))
        else:
            self._post(on.Rejected())

    async def refer(self, call_id: str, uri: str) -> None:
        """Send the caller there, once."""
        request = requests.refer(uri)
        if not await self._confirmed():
            return
        try:
            await self._cloud.post(call_id, request, REQUEST_S)
        except Refused as r:
            # Without an answer it may be under way: then only time tells.
            await self._report(on.Referred() if r.unanswered else on.ReferFailed(r.detail))
        else:
            await self._report(on.Referred())

    async def hang_up(self, call_id: str) -> None:
        """End it on the wire."""
        if not await self._confirmed():
            return
        try:
            await self._cloud.post(call_id, requests.HANG_UP, REQUEST_S)
        except Refused as r:
            gone = r.refusal is Refusal.GONE
            self._post(on.HungUp(gone=True) if gone else on.HangUpFailed(r.detail))
        else:
            self._post(on.HungUp())

    async def hang_up_blindly(self, call_id: str) -> str | None:
        """The way out of a call that nothing else works for. Why it failed, if it did."""
        try:
            await self._cloud.post(call_id, requests.HANG_UP, REQUEST_S)
        except Refused as r:
            return r.detail
        return None
