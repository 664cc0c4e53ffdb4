"""What can go wrong, named by whose fault it is.

    OffhookError
    ├── UserError              the person who runs offhook can mend it; shown without a stack trace
    │   ├── SettingsError      a setting is missing or wrong; lists every problem at once
    │   └── BotError           the bot's own definition is wrong
    │       ├── ToolError      a @tool that cannot be offered to a model
    │       └── TargetError    a transfer target that must not be dialled
    └── DeliveryError          a webhook delivery that is refused; answered with its HTTP status
        ├── SignatureError     not signed by a secret that we know
        └── PayloadError       signed, but not what the protocol says

What the cloud refuses during a call is no exception: it is an event that the call steps on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class OffhookError(Exception):
    """Base of every error that offhook raises on purpose."""


class UserError(OffhookError):
    """A mistake that the person running offhook can mend. Its text says how."""


class Problem(NamedTuple):
    """One thing wrong with the configuration.

    `setting` is the name as written in `.env`, `what` says what is wrong without ever
    repeating a secret, `example` is a value that would be accepted.
    """

    setting: str
    what: str
    example: str

    @property
    def line(self) -> str:
        """How the setting could stand in `.env`; under its right name if it was misspelt."""
        named = re.match(r"[A-Z_]+=", self.example) is not None
        return self.example if named else f"{self.setting}={self.example}"


class SettingsError(UserError):
    """The configuration cannot be used. Carries all problems, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(_told(p) for p in problems))


def _told(problem: Problem) -> str:
    example = f" (e.g. {problem.example})" if problem.example else ""
    return f"{problem.setting}: {problem.what}{example}"


class BotError(UserError):
    """The bot's own definition is wrong; raised when it is defined or loaded."""


class ToolError(BotError):
    """A function that cannot become a tool; raised at import."""


class TargetError(BotError):
    """A transfer target that cannot be dialled or must not be."""


class DeliveryError(OffhookError):
    """A webhook delivery that is refused. `status` is the HTTP status, `code` a machine word."""

    status = 400
    code = "bad_request"


class SignatureError(DeliveryError):
    """The delivery is not signed by a secret that we know, or not in time."""

    code = "invalid_signature"


class PayloadError(DeliveryError):
    """The delivery is signed, but its body is not what the protocol says."""

    code = "invalid_payload"
