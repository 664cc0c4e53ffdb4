"""The processes that answer calls, over the API; one of them is told to leave."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from offhook import draining
from offhook.errors import UserError
from offhook.store.ownership import Ownership, State
from offhook.store.tokens import Role
from support.admin import Office
from support.process import offhook
from support.serving import serving

REPLICAS = "/api/v1/replicas"


async def its_id(office: Office) -> str:
    line = await office.service.log.reached("replica")
    return str(line["id"])


async def test_the_processes_that_answer_calls_are_listed(office: Office) -> None:
    name = await its_id(office)
    async with office.somebody() as admin:
        (found,) = (await admin.get(REPLICAS)).body["items"]
    assert (found["id"], found["state"], found["live"]) == (name, "serving", 0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR])
async def test_only_an_admin_has_one_leave(office: Office, role: Role) -> None:
    name = await its_id(office)
    async with office.somebody(role) as visitor:
        assert (await visitor.get(REPLICAS)).status == 403
        assert (await visitor.post(f"{REPLICAS}/{name}/drain")).status == 403
    assert office.service.log.of("draining") == []


async def test_one_that_is_told_to_leave_leaves_and_that_is_in_the_audit_log(
    office: Office,
) -> None:
    name = await its_id(office)
    async with office.somebody() as admin:
        answer = await admin.post(f"{REPLICAS}/{name}/drain")
    assert (answer.status, answer.body) == (202, {"id": name, "live": 0})
    (entry,) = await office.audited("replica.")
    assert (entry.actor, entry.action, entry.subject) == ("token:admin", "replica.drain", name)
    await office.service.log.reached("draining")
    async with asyncio.timeout(10):
        await office.service.process


async def test_one_that_does_not_exist_is_404(office: Office) -> None:
    async with office.somebody() as admin:
        answer = await admin.post(f"{REPLICAS}/nobody:1/drain")
    assert (answer.status, await office.audited("replica.")) == (404, [])


# offhook drain --url


async def drained(office: Office, wanted: str | None = None, *, wait: bool = True) -> list[str]:
    """What `offhook drain --url` says."""
    said: list[str] = []
    async with draining.Remote(office.url, await office.token()) as fleet:
        await draining.drain(fleet, wanted, said.append, wait=wait, patience=10)
    return said


async def test_the_only_server_leaves_when_its_address_is_named(office: Office) -> None:
    name = await its_id(office)
    assert await drained(office) == [
        f"{name} is told to leave, with 0 calls.",
        f"{name} has left.",
    ]


async def test_of_several_one_must_be_named_and_any_of_them_passes_it_on(office: Office) -> None:
    name = await its_id(office)
    other = Ownership(office.desk.database, "other:2")
    await other.announce(capacity=1, version="1", host="other", now_ms=1)
    with pytest.raises(UserError, match=f"other:2, {name}"):
        await drained(office)
    assert await drained(office, "other:2", wait=False) == [
        "other:2 is told to leave, with 0 calls."
    ]
    peers = {peer.id: peer for peer in await other.peers()}
    assert [peers[each].told_to_leave for each in (name, "other:2")] == [False, True]
    assert peers[name].state is State.SERVING


async def test_what_stands_in_the_way_is_said_with_what_to_do(office: Office) -> None:
    viewer = await office.token(Role.VIEWER)
    for token, says in (
        ("offhook_no", "offhook token create --role admin"),
        (viewer, "role admin"),
    ):
        async with draining.Remote(office.url, token) as fleet:
            with pytest.raises(UserError, match=says):
                await draining.drain(fleet, None, print, wait=False, patience=1)
    async with draining.Remote("http://127.0.0.1:9", viewer) as fleet:
        with pytest.raises(UserError, match="No server answers"):
            await draining.drain(fleet, None, print, wait=False, patience=1)
    with pytest.raises(UserError, match="http://host:8000"):
        draining.Remote("phone.example.com", viewer)


async def test_a_server_without_a_database_has_no_api_and_that_is_said() -> None:
    async with serving() as service, draining.Remote(service.url, "any") as fleet:
        with pytest.raises(UserError, match="SIGTERM"):
            await fleet.peers()


@pytest.mark.parametrize("token", ["", "offhook_no"])
async def test_the_command_takes_its_token_from_the_environment(
    office: Office, token: str, tmp_path: Path
) -> None:
    env = {"OFFHOOK_TOKEN": token}
    async with offhook("drain", "--url", office.url, env=env, cwd=tmp_path) as process:
        assert await process.ended() != 0
    assert ("OFFHOOK_TOKEN" if not token else "does not take this token") in " ".join(
        process.text.split()
    )
    assert "Traceback" not in process.text
