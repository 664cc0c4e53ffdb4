"""Calls over TLS, trusted by what the system trusts: that is read when a process starts."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from offhook.simulator import HangsUp, Hears, Script, Simulator
from support.process import offhook
from support.serving import environment, said


def certificates(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's context, and the file with the authority behind it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return context, str(file)


async def test_a_cloud_whose_authority_the_system_trusts_is_called(tmp_path: Path) -> None:
    context, authority = certificates(tmp_path)
    async with Simulator(speed=60.0, ssl_context=context) as cloud:
        env = environment(cloud, SSL_CERT_FILE=authority)
        async with offhook("serve", env=env, cwd=tmp_path, cold=True) as process:
            webhook = await process.listens()
            call = await cloud.ring(webhook, Script(steps=(Hears(), HangsUp())))
            await call.finished()
            await process.said("caller_hung_up")
            assert len(said(call)) == 1


async def test_a_cloud_that_nobody_vouches_for_gets_no_call(tmp_path: Path) -> None:
    context, _ = certificates(tmp_path)
    async with Simulator(speed=60.0, ssl_context=context) as cloud:
        env = environment(cloud, OFFHOOK_RING_BUDGET_MS="500", OFFHOOK_ACCEPT_TIMEOUT_MS="200")
        async with offhook("serve", env=env, cwd=tmp_path, cold=True) as process:
            call = await cloud.ring(await process.listens(), Script())
            await process.said("SSLCertVerificationError")
            assert call.marks("accept") == []
