"""The settings of what is kept of calls. Each is declared here and nowhere else."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from offhook.config.declare import Group, setting
from offhook.config.kinds import none_if

_DATABASE = re.compile(r"sqlite:///.+|postgres(ql)?://[^/\s]*/[\w.-]+(\?\S*)?")


def _database(url: SecretStr) -> SecretStr:
    if not _DATABASE.fullmatch(url.get_secret_value()):
        raise ValueError
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]


class Records(Group):
    """Where calls are written down."""

    database_url: Annotated[DatabaseUrl | None, none_if("off")] = setting(
        "OFFHOOK_DATABASE_URL",
        SecretStr("sqlite:///offhook.sqlite3"),
        "Where calls are written down: an SQLite file, or PostgreSQL; `off` keeps no records",
        accepts="sqlite:///file, postgresql://user:password@host/database, or off",
        example="postgresql://offhook@db.example.com/offhook",
        unset="`sqlite:///offhook.sqlite3`",
    )
    spool_dir: str | None = setting(
        "OFFHOOK_SPOOL_DIR",
        None,
        "The folder where records wait for the database; several processes may share it",
        accepts="the path of a folder",
        example="/var/lib/offhook/spool",
        unset="`offhook-spool`, next to the SQLite file",
    )
    spool_spare: int = setting(
        "OFFHOOK_SPOOL_SPARE",
        10_000,
        "How many records are kept in memory at most, while neither disk nor database takes any",
        span=(0, 100_000),
    )
