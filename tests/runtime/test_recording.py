"""Where records are kept, as the settings say, and what is said if that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.config import Settings, load
from offhook.errors import SettingsError, UserError
from offhook.observe.redact import redact
from offhook.runtime.recording import check_folders, open_books, process_name, spool_folder
from offhook.store.database import driven


def settings(url: str, **more: str) -> Settings:
    return load(None, {"OFFHOOK_DATABASE_URL": url, **more}, serving=False)


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite:///calls.sqlite3", "offhook-spool"),
        ("sqlite:///data/calls.sqlite3", "data/offhook-spool"),
        ("sqlite:////var/lib/calls.sqlite3", "/var/lib/offhook-spool"),
        ("postgresql://offhook@db.example.com/calls", "offhook-spool"),
    ],
)
def test_records_wait_next_to_the_file(url: str, folder: str) -> None:
    assert spool_folder(settings(url), driven(url)) == Path(folder)
    elsewhere = settings(url, OFFHOOK_SPOOL_DIR="/elsewhere")
    assert spool_folder(elsewhere, driven(url)) == Path("/elsewhere")


def test_off_keeps_no_records_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_folders(settings("off"))
    assert open_books(settings("off")) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "url", "more"),
    [
        ("OFFHOOK_DATABASE_URL", "sqlite:///file/calls.sqlite3", {}),
        ("OFFHOOK_SPOOL_DIR", "sqlite:///calls.sqlite3", {"OFFHOOK_SPOOL_DIR": "file"}),
        ("OFFHOOK_SPOOL_DIR", "postgresql://h/calls", {"OFFHOOK_SPOOL_DIR": "file/spool"}),
    ],
)
def test_a_place_where_nothing_can_be_written_is_named(
    name: str, url: str, more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(UserError, match=f"^{name}: nothing can be written in file"):
        check_folders(settings(url, **more))


@pytest.mark.parametrize(
    "url", ["calls.sqlite3", "mysql://h/calls", "sqlite://", "postgresql://h", "http://h/calls"]
)
def test_what_is_no_address_of_a_database_is_said_so(url: str) -> None:
    with pytest.raises(SettingsError, match="OFFHOOK_DATABASE_URL") as refused:
        settings(url)
    assert "postgresql://user:password@host/database" in str(refused.value)


@given(st.integers(0, 2**32 - 1))
@example(0x91245570)
def test_the_name_of_a_process_is_never_taken_for_a_phone_number(dice: int) -> None:
    name = process_name("phone-0", dice)
    assert len(name) == len("phone-0:") + 8
    assert redact(name) == name
