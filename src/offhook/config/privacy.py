"""The settings of whose data is kept, in which form and for how long."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, SecretStr

from offhook.config.declare import Group, setting
from offhook.config.kinds import LowerCase, none_if

KEY_BYTES = 32
_A_KEY = "what `offhook privacy key` prints, several with commas while one is replaced, or off"

Keep: TypeAlias = Literal["full", "masked", "none"]
_Keep = Annotated[Keep, LowerCase]
_A_CENTURY = 36_500


def read_keys(text: str) -> tuple[bytes, ...]:
    """The keys in a list separated by commas, each 32 bytes; the first is the one to write with.

    Raises `ValueError` whose text says what is wrong, and never repeats a key.
    """
    keys = tuple(_key(part.strip()) for part in text.split(",") if part.strip())
    if len(set(keys)) < len(keys):
        raise ValueError("names the same key twice")
    return keys


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("is not a key of 32 bytes in base64; `offhook privacy key` prints one")
    return key


def _readable(secret: SecretStr) -> SecretStr:
    read_keys(secret.get_secret_value())
    return secret


RecordsKey = Annotated[SecretStr, AfterValidator(_readable)]


def _keep(name: str, default: Keep, what: str) -> Keep:
    kept: Keep = setting(f"OFFHOOK_KEEP_{name}", default, what)
    return kept


def _days(name: str, default: int, what: str) -> int:
    days: int = setting(
        f"OFFHOOK_RETAIN_{name}_DAYS",
        default,
        f"How long {what} are kept; 0 keeps them for ever",
        span=(0, _A_CENTURY),
        unit="days",
    )
    return days


class Privacy(Group):
    """What becomes of personal data in the records of calls."""

    records_key: Annotated[RecordsKey | None, none_if("off")] = setting(
        "OFFHOOK_RECORDS_KEY",
        None,
        "Encrypts callers' numbers in the records",
        accepts=_A_KEY,
        example="off",  # a key in an example would be used by somebody
        unset="numbers are stored in the clear",
    )
    keep_transcripts: _Keep = _keep(
        "TRANSCRIPTS", "masked", "What is kept of what is said; masked is without numbers and such"
    )
    keep_tool_arguments: _Keep = _keep(
        "TOOL_ARGUMENTS", "masked", "What is kept of the arguments of function calls"
    )
    keep_tool_results: _Keep = _keep(
        "TOOL_RESULTS", "masked", "What is kept of the results of function calls"
    )
    keep_numbers: _Keep = _keep(
        "NUMBERS",
        "full",
        "What is kept of the caller's number; masked is a hash to find it by and a few digits",
    )
    keep_names: _Keep = _keep(
        "NAMES", "masked", "What is kept of the name that the network gives; masked is initials"
    )
    retain_calls_days: int = _days("CALLS", 400, "calls")
    retain_transcripts_days: int = _days(
        "TRANSCRIPTS", 30, "transcripts, and what function calls were given and gave,"
    )
    retain_journals_days: int = _days("JOURNALS", 7, "the files in `OFFHOOK_JOURNAL_DIR`")
    retain_audit_days: int = _days("AUDIT", 400, "entries of the audit log")
