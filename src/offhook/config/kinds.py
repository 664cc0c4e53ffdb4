"""Kinds of values that settings have, and what is allowed in them.

A bare `ValueError` means: say what the setting accepts. No text here repeats a value, for it may
be a secret, even in a setting that is none.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, SecretStr


def none_if(*words: str) -> BeforeValidator:
    """Read a word such as `off` as None."""
    return BeforeValidator(lambda value: None if _lower(value) in words else value)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _matching(pattern: str) -> AfterValidator:
    """Refuse a text that a pattern does not cover whole."""
    whole = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise ValueError
        return text

    return AfterValidator(check)


def _host(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text):
        return text.lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError from None


def _idle(milliseconds: int) -> int:
    if milliseconds and not 5000 <= milliseconds <= 30000:
        raise ValueError
    return milliseconds


def _key(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]*", secret.get_secret_value()):
        raise ValueError("must not contain spaces, line breaks or letters beyond ASCII")
    return secret


def split(value: object) -> object:
    """Read a text with commas as a tuple of its parts."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _signing_secret(secret: SecretStr) -> SecretStr:
    """Standard Webhooks: what follows `whsec_` is base64. Without it, OpenAI's SDK takes it raw."""
    text = secret.get_secret_value()
    if re.search(r"\s", text):
        raise ValueError("must not contain spaces; separate several secrets by commas")
    if text.startswith("whsec_") and not _is_base64(text.removeprefix("whsec_")):
        raise ValueError("starts with whsec_ but does not go on in base64; copy it again, whole")
    return secret


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


LowerCase = BeforeValidator(_lower)
Name: TypeAlias = Annotated[str, _matching(r"[A-Za-z0-9][\w.:/-]{0,127}")]
NAME = "a name of letters, digits and . _ - : /"
Language: TypeAlias = Annotated[str, _matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")]
LANGUAGE = "a language tag such as en, de or pt-BR"
Region: TypeAlias = Annotated[str, _matching(r"[A-Z]{2}"), BeforeValidator(_upper)]
Version: TypeAlias = Annotated[str, _matching(r"[\w.-]+")]
Host: TypeAlias = Annotated[str, AfterValidator(_host)]
IdleTimeout: TypeAlias = Annotated[int, AfterValidator(_idle)]
ApiKey: TypeAlias = Annotated[SecretStr, AfterValidator(_key)]
SigningSecret: TypeAlias = Annotated[SecretStr, AfterValidator(_signing_secret)]
SigningSecrets: TypeAlias = Annotated[tuple[SigningSecret, ...], BeforeValidator(split)]
Eagerness: TypeAlias = Literal["low", "medium", "high", "auto"]
Effort: TypeAlias = Literal["minimal", "low", "medium", "high", "xhigh"]
