"""The document is true: every example fits, and machines that read it find no mistake."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from offhook.store.tokens import Role
from offhook.web.admin.app import ENDPOINTS
from offhook.web.admin.examples import example
from offhook.web.admin.openapi import document
from support.admin import office
from support.made_facts import made_call

DOCUMENT = document(ENDPOINTS)
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def test_every_endpoint_is_in_the_document_under_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names)) == sum(1 + len(each.also) for each in ENDPOINTS)
    assert all(
        operation["summary"].endswith(".") or ":" in operation["summary"]
        for _, _, operation in OPERATIONS
    )


@pytest.mark.parametrize("each", ENDPOINTS, ids=lambda each: each.name)
def test_every_example_is_what_is_really_asked_and_answered(each: Any) -> None:
    for kind in (each.answer, each.body):
        if kind is not None:
            msgspec.convert(example(kind), kind, strict=True)


def test_the_document_refers_to_nothing_that_is_not_there() -> None:
    text = msgspec.json.encode(DOCUMENT).decode()
    known = DOCUMENT["components"]["schemas"]
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in known


def test_every_operation_says_how_it_fails() -> None:
    for _, _, operation in OPERATIONS:
        assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys()
        assert {HTTPStatus(int(code)).phrase for code in operation["responses"]}


# A machine reads the document and asks whatever it allows, and what it does not


class Running(threading.Thread):
    """A server with records, in a thread of its own, since schemathesis blocks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.url = self.token = ""
        self.errors: list[Any] = []
        self.ready, self.leave = threading.Event(), threading.Event()

    def run(self) -> None:
        """Serve until told to leave."""
        try:
            asyncio.run(self._serve())
        finally:
            self.ready.set()

    async def _serve(self) -> None:
        async with office(self.folder, OFFHOOK_LOG_LEVEL="error") as opened:
            writer = opened.service.app.state.writer
            writer.take([*made_call("call_1"), *made_call("rtc_2")])
            assert await writer.settled(within=10)
            self.url, self.token = opened.url, await opened.token(Role.ADMIN)
            self.ready.set()
            await asyncio.get_running_loop().run_in_executor(None, self.leave.wait)
            self.errors = [line for line in opened.service.lines if line["event"] == "bug"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("api"))
    server.start()
    assert server.ready.wait(30)
    assert server.url
    yield server
    server.leave.set()
    server.join(20)
    assert not server.errors


API = schemathesis.openapi.from_dict(
    DOCUMENT, config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
).exclude(deprecated=True)


@pytest.mark.timeout(120)
@API.parametrize()
@seed(1)
@settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_the_answer_is_as_documented(case: Any, running: Running) -> None:
    case.call_and_validate(
        base_url=running.url,
        headers={"Authorization": f"Bearer {running.token}"},
        checks=CHECKS,
    )
