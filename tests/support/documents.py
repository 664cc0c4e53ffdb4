"""The documents' parts, and what in them is made from the code.

Run this file to write that anew: `.venv/bin/python tests/support/documents.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
SIMULATOR: Final = ROOT / "docs" / "simulator.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of one language, in order."""
    return [body for kind, body in _FENCE.findall(text) if kind == language]


def without_blocks(text: str) -> str:
    """The text with its fenced blocks taken out, since `#` and `[x](y)` mean nothing in them."""
    return _FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """What `#...` can point at: each heading as GitHub writes it."""
    headings = _HEADING.findall(without_blocks(text))
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}


def first_cells(text: str, header: str) -> list[list[str]]:
    """The rows of the table whose header begins so, each as its cells without backquotes."""
    table = text.split(f"\n| {header}", 1)[1].split("\n\n", 1)[0].split("\n")[2:]
    return [[c.strip().strip("`") for c in row.strip("|").split(" | ")] for row in table if row]


def between(text: str, name: str) -> str:
    """What stands between the marks of one name."""
    return text.split(f"<!-- {name} -->\n", 1)[1].split(f"<!-- /{name} -->", 1)[0]


def settings() -> str:
    """All settings."""
    from offhook.config import table

    return table()


def answers() -> str:
    """What the model reads of each way in which a function call can end."""
    rows = "".join(f"| {what} | `{told}` |\n" for what, told in _answers())
    return f"| What happened | What the model reads |\n|---|---|\n{rows}"


def _answers() -> Iterator[tuple[str, str]]:
    from offhook import HangUp, Transfer, tool
    from offhook.core import commands as do
    from offhook.core import events as on
    from offhook.core.answers import answer
    from offhook.core.outcomes import Failed, InvalidArguments, TimedOut
    from offhook.tools.run import encode, read_arguments
    from support.calls import Driven

    @tool
    async def repair_status(number: str) -> str:
        """Look up how far a repair is."""
        return number

    call = Driven().live()
    call.on(on.ToolVoided("call_1", "repair_status"))
    voided = call.told(do.AnswerTool)[-1].output
    unfit = read_arguments(repair_status, "{}")
    assert isinstance(unfit, InvalidArguments)
    yield "It returned a value", answer(encode({"number": "1042", "status": "ready"}))
    yield "It returned a text", answer(encode("Booked for Monday."))
    yield "It returned `None`", answer(encode(None))
    yield "The arguments do not fit", answer(unfit)
    yield "It raised", answer(Failed(""))
    yield "It was late", answer(TimedOut(3))
    yield "The caller cut in before the model had finished asking", voided
    yield "It returned a `Transfer`", answer(Transfer("workshop"))
    yield "It returned a `HangUp`", answer(HangUp())


def layers() -> str:
    """The layers, the uppermost first, as the import linter checks them."""
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter", "utf-8")
    names = contracts["importlinter:contract:layers"]["layers"].strip()
    return f"```text\n{names}\n```\n"


def beliefs() -> str:
    """What is not known of the clouds, as the simulator assumes it."""
    from offhook.simulator import Beliefs
    from support.switches import table

    return table(Beliefs)


def faults() -> str:
    """What can go wrong in the simulator."""
    from offhook.simulator import Faults
    from support.switches import table

    return table(Faults)


def timings() -> str:
    """How long the simulator takes for each thing."""
    from offhook.simulator import Timings
    from support.switches import table

    return table(Timings)


MADE: Final[dict[str, tuple[Path, Callable[[], str]]]] = {
    "settings": (README, settings),
    "answers": (README, answers),
    "layers": (CONTRIBUTING, layers),
    "beliefs": (SIMULATOR, beliefs),
    "faults": (SIMULATOR, faults),
    "timings": (SIMULATOR, timings),
}


def main() -> None:
    """Write it all into the documents."""
    sys.path.insert(0, str(ROOT / "tests"))
    for name, (document, make) in MADE.items():
        text = document.read_text("utf-8")
        head, tail = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        old = head + between(text, name) + tail
        document.write_text(text.replace(old, head + make() + tail), "utf-8")


if __name__ == "__main__":
    main()
