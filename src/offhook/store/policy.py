"""What of personal data gets into a record: a policy per field, applied before anything is stored.

Redaction runs in the step of the call, so it must be cheap for what people ordinarily say: about
5 µs for a sentence without digits (measured on one core of a small server).
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from offhook.config.privacy import Keep, Privacy
from offhook.observe.keys import Pressed
from offhook.observe.redact import Redactor, redact_field
from offhook.store.vault import Vault, mask

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_A_PIN = 3  # digits, or more
_JSON = ("{", "[", '"', "-", *"0123456789")  # nothing to hide in true, false and null
_WORD = re.compile(r"\[[^\]]*\]|[^\W\d_]+")


class StoredNumber(Struct, frozen=True, gc=False):
    """A number as its columns hold it: to find, to reveal, to show. Each may be missing."""

    hash: str | None = None
    number: str | None = None
    masked: str | None = None


class Policy(Struct, frozen=True):
    """What is kept of each field: `full`, `masked` or `none`."""

    transcripts: Keep = "masked"
    arguments: Keep = "masked"
    results: Keep = "masked"
    numbers: Keep = "full"
    names: Keep = "masked"

    def number(self, number: str | None, vault: Vault) -> StoredNumber:
        """The caller's number as it may be stored; of an anonymous caller nothing but that."""
        if self.numbers == "none":
            return StoredNumber()
        if number is None:
            return StoredNumber(masked=mask(None))
        sealed = vault.seal(number) if self.numbers == "full" else None
        return StoredNumber(vault.hash(number), sealed, mask(number))


def policy(settings: Privacy) -> Policy:
    """The policy that the settings ask for."""
    return Policy(
        transcripts=settings.keep_transcripts,
        arguments=settings.keep_tool_arguments,
        results=settings.keep_tool_results,
        numbers=settings.keep_numbers,
        names=settings.keep_names,
    )


class Redaction:
    """The policy for one call. `[phone:1]` is the same number in all of its texts.

    It keeps the numbers it has hidden in memory, so it should live no longer than its call.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._redactor = Redactor()
        self._pressed = Pressed(_A_PIN)

    def pressed(self, key: str) -> None:
        """Remember a key that the caller pressed, to take it out of texts that repeat it."""
        self._pressed.add(key)

    def transcript(self, text: str) -> str | None:
        """What was said, by either side."""
        return self._text(self._policy.transcripts, text)

    def arguments(self, json: str) -> str | None:
        """The arguments of a function call, or one of them: JSON stays JSON."""
        return self._json(self._policy.arguments, json)

    def output(self, json: str) -> str | None:
        """The result of a function call: JSON stays JSON."""
        return self._json(self._policy.results, json)

    def name(self, name: str) -> str | None:
        """The caller's name: `Ann Example` is masked as `A. E.`."""
        if self._policy.names != "masked":
            return name if self._policy.names == "full" else None
        return " ".join(map(_initial, _WORD.findall(self._redactor.redact(name)))) or None

    def detail(self, text: str) -> str | None:
        """What the software says of an error or an event; such a text is never left out whole."""
        return self._text("full" if self._policy.transcripts == "full" else "masked", text)

    def _text(self, keep: Keep, text: str) -> str | None:
        if keep == "masked":
            return self._redactor.redact(self._pressed.hidden(text))
        return text if keep == "full" else None

    def _json(self, keep: Keep, text: str) -> str | None:
        if keep != "masked":
            return text if keep == "full" else None
        if not text.startswith(_JSON):
            return self._text(keep, text)
        try:
            return _encode(self._value("", _decode(text))).decode()
        except (msgspec.DecodeError, RecursionError):  # cut off by the cloud, or absurdly deep
            return self._text(keep, text)

    def _value(self, name: str, value: object) -> object:
        """A value redacted with its name before it: `order_number` says what the digits are."""
        match value:
            case dict():
                return {self._redactor.redact(k): self._value(k, v) for k, v in value.items()}
            case list():
                return [self._value(name, item) for item in value]
            case str() if redact_field(name, value) == "[secret]":
                return "[secret]"
            case str():
                return self._named(name, value)
            case int() if not isinstance(value, bool) and abs(value) > 99:
                shown = self._named(name, str(value))
                return value if shown == str(value) else shown
            case _:
                return value

    def _named(self, name: str, text: str) -> str:
        text, before = self._pressed.hidden(text), f"{name.replace('_', ' ')}: "
        shown = self._redactor.redact(before + text)
        return (
            shown.removeprefix(before) if shown.startswith(before) else self._redactor.redact(text)
        )


def _initial(word: str) -> str:
    return word if word.startswith("[") else f"{word[0]}."
