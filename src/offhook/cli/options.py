"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class CloudName(StrEnum):
    """The clouds that the simulator can be."""

    OPENAI = "openai"
    AZURE = "azure"


EnvFile = Annotated[Path, typer.Option(help="Where the settings are.")]
DotEnv = Path(".env")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BotName = Annotated[
    str | None, typer.Option(help="module:bot or file.py:bot; else the bundled shop.")
]
Profile = Annotated[CloudName, typer.Option(help="Which cloud to be.")]
Secret = Annotated[
    str | None,
    typer.Option(help="The server's webhook secret.", envvar="OPENAI_WEBHOOK_SECRET"),
]
