"""A throw-away PostgreSQL cluster: on loopback, with nothing to lose, never run as root."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

WHY_NOT = "PostgreSQL's programs are not on this machine (Debian: apt install postgresql)"

_FAST = {  # nothing here needs to survive a power cut
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class Cluster(Struct, frozen=True):
    """A running cluster; `admin` is the address of its first database."""

    programs: Path
    folder: Path
    port: int
    user: str | None  # whom its programs run as; `None` is whoever runs this

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://offhook@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """A new database; returns its address."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def sql(self, statement: str) -> None:
        """Run one statement in the first database."""
        self.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url("postgres"))

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = " ".join(f"-c {k}={v!r}" for k, v in _FAST.items())
        log = str(self.folder / "log")
        self.run(
            "pg_ctl", "-D", self.data, "-l", log, "-w", "-o", f"-p {self.port} {options}", "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is as good as a crash."""
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    @property
    def data(self) -> str:
        """Where its files are."""
        return str(self.folder / "data")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the cluster's user; it raises with what it said."""
        done = subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, `None` if there is none."""
    found = [Path(p).resolve().parent for p in (shutil.which("postgres"),) if p]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((p for p in found if (p / "initdb").exists() and (p / "pg_ctl").exists()), None)


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster for as long as the block lasts. Raises `FileNotFoundError` without programs."""
    where = programs()
    if where is None:
        raise FileNotFoundError(WHY_NOT)
    user = _user()
    with tempfile.TemporaryDirectory(prefix="offhook-pg-", ignore_cleanup_errors=True) as folder:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        made = Cluster(where, Path(folder), _free_port(), user)
        made.run(
            "initdb", "-D", made.data, "-U", "offhook", "-A", "trust", "--no-sync", "-E", "UTF8"
        )
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _user() -> str | None:
    """PostgreSQL refuses to run as root: then it is another user's."""
    if getpass.getuser() != "root" and os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port
