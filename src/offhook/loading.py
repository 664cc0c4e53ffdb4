"""Finds the bot that a user names on the command line: `module:bot`, `file.py` or `file.py:bot`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from offhook.bot import Bot
from offhook.errors import BotError

DEFAULT_NAME = "bot"


def load_bot(spec: str) -> Bot:
    """Import the bot. Raises `BotError` that says what is missing and where."""
    place, _, name = spec.rpartition(":") if ":" in spec else (spec, "", DEFAULT_NAME)
    if not place or not name:
        raise BotError(f"{spec!r} names no bot; write module:bot or file.py:bot.")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_module(place)
    found = getattr(module, name, None)
    if found is None:
        there = [k for k, v in vars(module).items() if isinstance(v, Bot)]
        hint = f" There is: {', '.join(there)}." if there else " Define: bot = Bot(...)."
        raise BotError(f"{place} has no {name!r}.{hint}")
    if not isinstance(found, Bot):
        raise BotError(f"{spec} is a {type(found).__name__}, not an offhook.Bot.")
    return found


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise BotError(f"There is no file {path}.")
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BotError(f"{path} cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BotError:
        raise
    except (Exception, SystemExit) as error:
        raise BotError(f"{path} cannot be loaded: {_where(error, path.name)}") from error
    return module


def _from_module(name: str) -> ModuleType:
    sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except BotError:
        raise
    except ModuleNotFoundError as error:
        if error.name == name:
            raise BotError(f"There is no module {name!r} here.") from None
        raise BotError(f"{name} needs the module {error.name!r}; install it.") from None
    except (Exception, SystemExit) as error:
        raise BotError(f"{name} cannot be loaded: {_where(error, '')}") from error


def _where(error: BaseException, file: str) -> str:
    """The error in one line, with the user's own line where it is known."""
    text = f"{type(error).__name__}: {error}"
    lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(file)]
    return f"{text} (line {lines[-1].lineno})" if file and lines else text
