"""Opens the books: where the calls of this process are written down, as the settings say."""

from __future__ import annotations

import secrets
import socket
import tempfile
from pathlib import Path

from sqlalchemy import URL

from offhook.config import Settings
from offhook.errors import UserError
from offhook.runtime.claims import Claims
from offhook.runtime.cloud import Cloud
from offhook.runtime.desk import Desk
from offhook.runtime.pulse import Pulse
from offhook.runtime.revival import Revival
from offhook.runtime.succession import Succession
from offhook.runtime.tenure import Tenure
from offhook.store.database import Database, driven
from offhook.store.outbox import Outbox
from offhook.store.ownership import Ownership
from offhook.store.policy import policy
from offhook.store.prices import Tariff
from offhook.store.spool import Spool
from offhook.store.vault import Vault
from offhook.store.writer import Writer

SPOOL = "offhook-spool"


def open_books(settings: Settings) -> tuple[Database, Writer] | None:
    """The database and its writer, neither entered yet; `None` if no records are kept."""
    url = settings.records.database_url
    if url is None:
        return None
    database = Database(url.get_secret_value())
    spool = Spool(spool_folder(settings, database.url), settings.records.spool_spare)
    outbox = Outbox(database, settings.webhooks.urls)
    return database, Writer(database, spool, outbox.owe)


def open_desk(settings: Settings, writer: Writer, tariff: Tariff) -> Desk:
    """What the scribes of all calls share."""
    key = settings.privacy.records_key
    return Desk(
        writer=writer,
        policy=policy(settings.privacy),
        vault=Vault(key.get_secret_value() if key else None),
        provider=settings.endpoint.provider,
        model=settings.cloud.model,
        replica=process_name(socket.gethostname(), secrets.randbits(32)),  # pids come back
        tariff=tariff,
    )


def process_name(host: str, dice: int) -> str:
    """What this process is called, by 32 random bits. Eight digits would be a phone number to the
    log, which hides those, so one of them is a letter."""
    return f"{host[:48]}:{'abcdef'[dice % 6]}{dice >> 4:07x}"


def open_tenure(settings: Settings, database: Database, desk: Desk, cloud: Cloud) -> Tenure:
    """What keeps the calls of this process, and takes those of others. Not entered yet."""
    own = Ownership(database, desk.replica)
    pulse = Pulse(settings.replicas.patience_s)
    claims = Claims(own, pulse, first=database.dialect == "postgresql")
    revival = Revival(database, desk.vault)
    succession = Succession(own, pulse, claims, revival, cloud, desk.writer, settings.replicas)
    return Tenure(own, pulse, claims, succession, settings.replicas)


def spool_folder(settings: Settings, url: URL) -> Path:
    """Where records wait for this database."""
    if settings.records.spool_dir:
        return Path(settings.records.spool_dir)
    return Path(url.database or "").parent / SPOOL if _is_file(url) else Path(SPOOL)


def check_folders(settings: Settings) -> None:
    """See whether records could be written. Raises `UserError` that says what to do if not."""
    url = settings.records.database_url
    if url is None:
        return
    place = driven(url.get_secret_value())
    if _is_file(place):
        _check(Path(place.database or "").parent, "OFFHOOK_DATABASE_URL")
    _check(spool_folder(settings, place), "OFFHOOK_SPOOL_DIR")


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _check(folder: Path, setting: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{setting}: nothing can be written in {folder}: {error.strerror}. Name another "
            "place, or keep no records with OFFHOOK_DATABASE_URL=off"
        ) from None
