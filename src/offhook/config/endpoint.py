"""Where the cloud is: REST and WebSocket addresses derived from one base, for either cloud.

Addresses: OpenAI's SIP guide (`/v1/realtime/calls/{call_id}/accept`, `/v1/realtime?call_id=`)
and Microsoft's "Use the GPT Realtime API via SIP" (the same below `/openai/v1`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlsplit

from msgspec import Struct

from offhook.errors import Problem, SettingsError

Provider: TypeAlias = Literal["azure", "openai"]

OPENAI_BASE: Final = "https://api.openai.com/v1"
_OPENAI_HOST: Final = "api.openai.com"
_AZURE_SUFFIXES: Final = tuple(
    f".{service}.{cloud}"
    for service in ("openai", "services.ai", "cognitiveservices")
    for cloud in ("azure.com", "azure.us", "azure.cn")
)

_HOST_NAME: Final = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*")
# What may be pasted after the host: a gateway's own prefix, then any part of the API's path.
_PATH: Final = re.compile(r"(?P<prefix>.*?)(?P<azure>/openai)?(/v1)?(/realtime(/calls)?)?")
_FOUNDRY_PROJECT: Final = re.compile(r"/api/projects(/[^/]+)?")

_REST_EXAMPLE: Final = "https://my-resource.openai.azure.com/openai/v1"
_WS_EXAMPLE: Final = "wss://my-resource.openai.azure.com/openai/v1/realtime"


class Endpoint(Struct, frozen=True):
    """One cloud's Realtime API. No base ends with a slash.

    `rest_base` is followed by `/realtime/calls/{call_id}/accept`, `ws_base` by `?call_id=`.
    `api_version` is sent only if somebody set it: neither cloud's `/v1` wants one.
    """

    provider: Provider
    rest_base: str
    ws_base: str
    api_version: str | None = None

    def call_url(self, call_id: str, verb: str) -> str:
        """The address to POST to for `verb`: accept, reject, refer or hangup."""
        url = f"{self.rest_base}/realtime/calls/{quote(call_id, safe='')}/{verb}"
        return f"{url}?api-version={self.api_version}" if self.api_version else url

    def sideband_url(self, call_id: str) -> str:
        """The WebSocket of one accepted call. It takes no model: the call has one already."""
        url = f"{self.ws_base}?call_id={quote(call_id, safe='')}"
        return f"{url}&api-version={self.api_version}" if self.api_version else url


def derive(
    base: str = OPENAI_BASE,
    ws_base: str | None = None,
    provider: Provider | None = None,
    api_version: str | None = None,
) -> Endpoint:
    """Work out the endpoint from what people paste. Raises `SettingsError` with all problems."""
    problems: list[Problem] = []
    rest = _read("OPENAI_BASE", base, {"https": "https", "http": "http"}, problems)
    schemes = {"wss": "wss", "ws": "ws", "https": "wss", "http": "ws"}
    ws = _read("REALTIME_WS_BASE", ws_base, schemes, problems) if ws_base else None
    if rest is None or problems:
        raise SettingsError(problems)
    problems += _disagreements(rest, ws, provider)
    speaker = provider or rest.provider
    if speaker is None or problems:
        raise SettingsError(problems)
    ws = ws or rest.over({"https": "wss", "http": "ws"}[rest.scheme])
    return Endpoint(speaker, rest.root(speaker), f"{ws.root(speaker)}/realtime", api_version)


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class _Address(Struct, frozen=True):
    """A base as pasted, taken apart. `path` is without slashes at its end or doubled ones."""

    scheme: str
    netloc: str
    host: str
    path: str

    @property
    def provider(self) -> Provider | None:
        """Who is spoken to here, or `None` if the address alone does not tell."""
        if known := _cloud(self.host):
            return known
        if not is_loopback(self.host):
            return None
        return "azure" if self._parts()["azure"] else "openai"

    def root(self, provider: Provider) -> str:
        """Where the API begins, ending in `/v1`."""
        cloud, parts = _cloud(self.host), self._parts()
        prefix = "" if cloud else parts["prefix"]
        azure = cloud == "azure" or (cloud is None and (provider == "azure" or parts["azure"]))
        return f"{self.scheme}://{self.netloc}{prefix}{'/openai' if azure else ''}/v1"

    def over(self, scheme: str) -> _Address:
        return _Address(scheme, self.netloc, self.host, self.path)

    def stray_path(self) -> bool:
        """Whether a cloud's own host is followed by a path that its API does not have."""
        match _cloud(self.host), self._parts():
            case None, _:
                return False
            case "azure", {"prefix": str(prefix)}:
                return bool(prefix) and not _FOUNDRY_PROJECT.fullmatch(prefix)
            case _, parts:
                return bool(parts["prefix"] or parts["azure"])

    def _parts(self) -> dict[str, str]:
        match = _PATH.fullmatch(self.path)
        return match.groupdict("") if match else {"prefix": self.path, "azure": ""}


def _cloud(host: str) -> Provider | None:
    """Which cloud a host belongs to. By whole suffix: `openai.azure.com.example.com` is none."""
    if host.endswith(_AZURE_SUFFIXES):
        return "azure"
    if host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}"):
        return "openai"
    return None


def _read(
    name: str, text: str, schemes: dict[str, str], problems: list[Problem]
) -> _Address | None:
    example = _REST_EXAMPLE if name == "OPENAI_BASE" else _WS_EXAMPLE
    try:
        return _take_apart(text, schemes)
    except ValueError as error:
        problems.append(Problem(name, str(error), example))
        return None


def _take_apart(text: str, schemes: dict[str, str]) -> _Address:
    """Read one base. Raises `ValueError` with a text that never repeats what was given."""
    if "<" in text or ">" in text:
        raise ValueError("still holds a placeholder in angle brackets; put your own name there")
    if re.search(r"[^!-~]|\\", text):
        raise ValueError("must be a URL without spaces or special characters")
    if "?" in text:
        raise ValueError("must not carry a query such as ?api-version=; remove it with its ?")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in schemes or not parts.netloc:
        raise ValueError(f"must start with {next(iter(schemes))}:// and a host")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must be a plain URL, without a user name and without a #")
    if not _is_host(host):
        raise ValueError("names no valid host")
    if parts.scheme in {"http", "ws"} and not is_loopback(host):
        raise ValueError("would send the API key in the clear; only loopback may do without TLS")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = "".join(f"/{segment}" for segment in parts.path.split("/") if segment)
    address = _Address(schemes[parts.scheme], netloc, host, path)
    if address.stray_path():
        raise ValueError("has a path that this API does not have; remove all that follows the host")
    return address


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST_NAME.fullmatch(host) is not None
    try:
        return "%" not in host and bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False


def _disagreements(
    rest: _Address, ws: _Address | None, provider: Provider | None
) -> Iterator[Problem]:
    """What is wrong between settings that are each fine."""
    if provider is None and rest.provider is None:
        why = "is required: the host of OPENAI_BASE does not tell which cloud's rules it follows"
        yield Problem("OFFHOOK_PROVIDER", why, "azure")
    if provider == "azure" and _cloud(rest.host) == "openai":
        why = "must name your Azure resource, because OFFHOOK_PROVIDER is azure"
        yield Problem("OPENAI_BASE", why, _REST_EXAMPLE)
    if ws and _owner(ws) and _owner(rest) and _owner(ws) != _owner(rest):
        why = "names another resource than OPENAI_BASE; best left empty, it follows from that"
        yield Problem("REALTIME_WS_BASE", why, _WS_EXAMPLE)


def _owner(address: _Address) -> str | None:
    """Whose key opens this address: an Azure resource by its name, an OpenAI region by its host."""
    match _cloud(address.host):
        case "azure":
            return address.host.partition(".")[0]
        case "openai":
            return address.host
        case None:
            return None
