"""What load balancers, operators and the curious ask."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from offhook._version import __version__
from offhook.runtime.switchboard import Switchboard
from offhook.runtime.watch import Watch


def routes(switchboard: Switchboard, watch: Watch) -> APIRouter:
    """`/`, `/healthz` and `/readyz`."""
    router = APIRouter()

    @router.get("/")
    async def info() -> dict[str, str]:
        """What this is. Says nothing about calls: the address is public."""
        return {"service": "offhook", "version": __version__, "webhook": "/openai/webhook"}

    @router.get("/healthz")
    async def healthz() -> dict[str, bool]:
        """The process is alive."""
        return {"ok": True}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """New calls may come here."""
        ready = not switchboard.draining
        content: dict[str, object] = {"ready": ready}
        if not ready:
            content["reason"] = "draining"
        if concerns := watch.told():  # to send callers elsewhere would be no help
            content["concerns"] = sorted(concerns)  # names alone: the address is public
        return JSONResponse(content, status_code=200 if ready else 503)

    return router
