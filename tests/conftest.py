"""What all tests may ask for: a database of either kind, empty and their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from offhook.store.database import Database
from support.postgres import Cluster, cluster
from support.records import Absence

# What is slow on a busy machine is not wrong.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster, thrown away after the last test."""
    try:
        with cluster() as started:
            yield started
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: every test that asks runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'offhook.sqlite3'}"
    started: Cluster = request.getfixturevalue("postgres")
    return started.create()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with all tables, and nothing in them."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def absence(
    database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Absence:
    """How to take that database away for a while. Nobody waits long for a lock meanwhile."""
    monkeypatch.setattr("offhook.store.database.BUSY_S", 0.05)
    if database_url.startswith("sqlite"):
        return Absence(database_url, None)
    return Absence(database_url, request.getfixturevalue("postgres"))
