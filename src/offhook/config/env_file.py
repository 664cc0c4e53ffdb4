"""The lines of a `.env` file and the variables of the process, cleaned, and one over the other."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from offhook.errors import Problem

Variables = dict[str, str]


def read_env_file(path: Path) -> tuple[Variables, list[Problem]]:
    """What a `.env` file sets; a later line wins. No file named `.env` is no problem.

    It knows `export X=`, quotes, comments, a byte order mark and CRLF. `${X}` is left alone:
    a secret may hold a dollar sign.
    """
    file = path.name or str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}, [] if file == ".env" else [Problem(file, "does not exist", "")]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not a path"
        return {}, [Problem(file, f"cannot be read: {reason}", "")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return {}, [Problem(file, f"is not UTF-8 text{_guess(raw)}", "")]
    return _parse(file, text)


def _guess(raw: bytes) -> str:
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    return " but UTF-16, as Windows PowerShell writes it" if utf16 else ""


def _parse(file: str, text: str) -> tuple[Variables, list[Problem]]:
    found: Variables = {}
    problems: list[Problem] = []
    for line in parse_stream(io.StringIO(text)):
        if line.error or (line.key and line.value is None):
            # The text itself stays unsaid: it may be a secret that lacks its name.
            number = line.original.line + _blank_lines_before(line.original.string)
            problems.append(Problem(f"{file} line {number}", "is not NAME=value", "PORT=8000"))
        elif line.key:
            found[line.key] = line.value or ""
    return found, problems


def _blank_lines_before(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def merged(file: Mapping[str, str], environ: Mapping[str, str]) -> Variables:
    """What is set, trimmed: the environment over the file. Blank is unset, so it hides nothing."""
    both = [(name, clean(value)) for source in (file, environ) for name, value in source.items()]
    return {name: value for name, value in both if value}


def clean(value: str) -> str:
    """A value without what does not belong to it.

    `docker run --env-file` takes lines literally, so quotes and a comment in place of a value
    get here that a `.env` file would not let through.
    """
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return "" if text.startswith("#") else text
