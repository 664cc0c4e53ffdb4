"""What all tests may ask for: a database of either kind, empty and their own."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from offhook.store.database import Database
from support.postgres import Cluster, cluster
from support.records import Absence

# What is slow on a busy machine is not wrong.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: nobody need look for garbage in it, again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster, thrown away after the last test."""
    try:
        with cluster() as started:
            yield started
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sqlite_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and nothing in them, to be copied: migrations take time."""
    path = tmp_path_factory.mktemp("pattern") / "offhook.sqlite3"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_pattern(postgres: Cluster) -> str:
    """The name of such a database in PostgreSQL."""
    url = postgres.create()
    asyncio.run(_migrate(url))
    return url.rpartition("/")[2]


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database: every test that asks for one runs on both kinds."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'offhook.sqlite3'}"
    started: Cluster = request.getfixturevalue("postgres")
    return started.create()


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with all tables, and nothing in them."""
    if database_kind == "sqlite":
        path = tmp_path / "offhook.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_pattern"), path)
        return f"sqlite:///{path}"
    started: Cluster = request.getfixturevalue("postgres")
    return started.create(template=request.getfixturevalue("postgres_pattern"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Such a database, open."""
    database = Database(database_url)
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
