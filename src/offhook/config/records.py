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
