"""Settings from the environment and `.env`, all checked before any is used.

The groups are pydantic models; reading is done here, because every problem is to be reported at
once and in our words: pydantic's quote the value, which may be a secret.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from offhook.config.contradictions import contradictions, missing
from offhook.config.declare import Entry, Group
from offhook.config.endpoint import Endpoint, derive
from offhook.config.env_file import Variables, clean, merged, read_env_file
from offhook.config.groups import Cloud
from offhook.config.reference import fields
from offhook.config.settings import Settings, groups
from offhook.errors import Problem, SettingsError

# Kubernetes tells every pod about each service in such variables, so a service named `offhook`
# writes OFFHOOK_SERVICE_HOST, OFFHOOK_PORT, OFFHOOK_PORT_8000_TCP_ADDR ... into ours.
_SERVICE_LINK: Final = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_ALIKE: Final = 0.6  # how much two names must have in common to be taken for a slip of the pen
_SERVICE_URL: Final = re.compile(r"(tcp|udp|sctp)://")


def load(
    env_file: str | Path | None = ".env",
    environ: Mapping[str, str] | None = None,
    *,
    serving: bool = True,
    checks: Mapping[str, Callable[[Any], str | None]] | None = None,
) -> Settings:
    """Read and check all settings; the environment wins over the file.

    `environ` stands in for the process's own, `env_file` may be None for no file. Without
    `serving`, what only taking calls needs (API key, webhook secret) may be missing. `checks`
    holds for a setting's name what else must be true of its value: a function that tells what
    is wrong, or None.
    Raises `SettingsError` with every problem there is.
    """
    outcome = _examine(env_file, environ, serving, checks or {})
    if isinstance(outcome, Settings):
        return outcome
    # Raised from here, so that no frame in the traceback holds a value that was given.
    raise SettingsError(outcome)


def _examine(
    env_file: str | Path | None,
    environ: Mapping[str, str] | None,
    serving: bool,
    checks: Mapping[str, Callable[[Any], str | None]],
) -> Settings | list[Problem]:
    around = os.environ if environ is None else environ
    in_file, problems = read_env_file(Path(env_file)) if env_file is not None else ({}, [])
    entries = {each.name: each for each in fields()}
    problems += _unknown(in_file, around, entries)
    given = {name: text for name, text in merged(in_file, around).items() if name in entries}
    built, values, refused = _validated(given, entries)
    endpoint, misplaced = _endpoint(built["cloud"])
    problems += [*refused, *misplaced]
    if serving:
        problems += missing(values, given.keys(), endpoint)
    problems += contradictions(values, given.keys(), endpoint)
    for name, check in checks.items():
        if values.get(name) is not None and (what := check(values[name])):
            problems.append(Problem(name, what, entries[name].example))
    if problems or endpoint is None:
        return _first_of_each(problems)
    return Settings(endpoint=endpoint, **built)


def _first_of_each(problems: list[Problem]) -> list[Problem]:
    """One problem per setting: what comes later may only follow from the first."""
    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.setting, problem)
    return list(first.values())


def _validated(
    given: Variables, entries: Mapping[str, Entry]
) -> tuple[dict[str, Any], dict[str, object], list[Problem]]:
    """The groups by name, each valid value by its setting's name, and a problem for each other.

    In a group, a refused value is replaced by its default, so that the rest can be looked at.
    """
    built: dict[str, Any] = {}
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for group, kind in groups().items():
        names = {str(info.validation_alias): field for field, info in kind.model_fields.items()}
        own = {name: text for name, text in given.items() if name in names}
        refused = _refused(kind, own, entries)
        problems += refused.values()
        built[group] = kind.model_validate({n: text for n, text in own.items() if n not in refused})
        values |= {n: getattr(built[group], f) for n, f in names.items() if n not in refused}
    return built, values, problems


def _refused(kind: type[Group], own: Variables, entries: Mapping[str, Entry]) -> dict[str, Problem]:
    try:
        kind.model_validate(own)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    else:
        return {}
    found: dict[str, Problem] = {}
    for detail in details:
        name = str(detail["loc"][0])
        what = _own_words(detail) or f"must be {entries[name].accepts}"
        found.setdefault(name, Problem(name, what, entries[name].example))
    return found


def _own_words(detail: ErrorDetails) -> str:
    """What a check in `kinds` said, if it said more than no. Those texts never repeat a value."""
    return str(detail["ctx"]["error"]) if detail["type"] == "value_error" else ""


def _endpoint(cloud: Cloud) -> tuple[Endpoint | None, Sequence[Problem]]:
    try:
        found = derive(cloud.base, cloud.ws_base, cloud.provider, cloud.api_version)
    except SettingsError as error:
        return None, error.problems
    return found, ()


def _unknown(
    in_file: Variables, around: Mapping[str, str], known: Mapping[str, Entry]
) -> Iterator[Problem]:
    """Names that begin like ours but are none: a setting that silently does nothing."""
    bare = {_bare(name): name for name in known}
    ours = [name for name, value in around.items() if not _is_service_link(name, value)]
    for name in dict.fromkeys([*in_file, *ours]):
        if name in known or not name.upper().startswith("OFFHOOK_"):
            continue
        printable = re.sub(r"[^\w]", "?", name, flags=re.ASCII)
        near = difflib.get_close_matches(_bare(name), bare, n=1, cutoff=_ALIKE)
        if not near:
            yield Problem(printable, "is no setting of offhook; the README lists them all", "")
            continue
        meant = bare[near[0]]
        what = f"is no setting of offhook; did you mean {meant}?"
        yield Problem(printable, what, f"{meant}={known[meant].example}")


def _bare(name: str) -> str:
    """A name without what it begins with, which is what people get wrong most."""
    return re.sub(r"^((OFFHOOK|OPENAI|REALTIME)_)+", "", name.upper())


def _is_service_link(name: str, value: str) -> bool:
    named_port = name.endswith("_PORT") and _SERVICE_URL.match(clean(value))
    return bool(named_port or _SERVICE_LINK.fullmatch(name))
