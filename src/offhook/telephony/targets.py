"""Where a call may be transferred to: checked when the bot is defined, not when it rings.

A transfer costs money and leaves with our name on it, so a target is named by the bot's owner,
never by a caller or the model, and must be plain: nothing in it can add a header to the REFER.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import unquote

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumber, PhoneNumberType

from offhook.errors import TargetError
from offhook.telephony.numbers import normalise

MAX_URI = 512
_EXAMPLE = "tel:+14155550100 or sip:queue@pbx.example.com;transport=tls"

_TARGET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_TEL_NUMBER = re.compile(r"\+[0-9 ().\-/]+")
_SIP = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@]*)@)?"
    r"(?P<host>\[[^\]@]*\]|[^:;@\[\]]*)(?::(?P<port>[^;]*))?(?P<params>;.*)?",
    re.IGNORECASE,
)
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,/]|%[0-9A-Fa-f]{2})+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_PARAM = re.compile(r"(?P<key>[A-Za-z0-9\-_.!~*+]+)(?:=(?P<value>[A-Za-z0-9\-_.!~*+]+))?")
_TRANSPORTS = {"tls", "tcp", "udp"}
# they change what is sent or where it goes, whatever the host says (RFC 3261, section 19.1.1)
_UNSAFE_PARAMS = {"method", "maddr", "ttl"}

_COSTLY_TYPES = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which bills like a premium one",
}
# ITU-T E.164 codes that are no country: Inmarsat, personal, satellites, networks, premium
_COSTLY_CODES = {870, 878, 881, 882, 883, 888, 979}


class Target(Struct, frozen=True):
    """A place to transfer to. The model sees `name` and `label`; `uri` goes to the cloud only."""

    name: str
    uri: str
    label: str = ""


def parse_target(name: str, uri: str, label: str = "", *, allow_premium: bool = False) -> Target:
    """Return the checked target, its URI in the plainest form (`tel:+14155552671`).

    `uri` is `tel:` with an international number, such a number alone, or `sip:`/`sips:` with a
    host. Numbers that are dear to call (premium, shared cost, personal, satellite) need
    `allow_premium`. Raises `TargetError`, which names the target, the reason and an example.
    """
    if not _TARGET_NAME.fullmatch(name):
        raise TargetError(
            f"transfer target {name[:40]!a}: a name has 1 to 32 of a-z, 0-9, _ and -,"
            " and starts with a letter or digit (e.g. billing)"
        )
    uri = uri.strip(" ")
    if len(uri) > MAX_URI:
        raise _refused(name, f"the URI is longer than {MAX_URI} characters")
    if not uri.isascii() or not uri.isprintable():
        raise _refused(
            name, "the URI has characters that are not plain ASCII, such as a line break"
        )
    if re.search(r'[<>"?\\^`{|}#]', uri):
        raise _refused(name, "the URI must be bare: no <>, no quotes, no ?headers")
    match uri[:1], uri.partition(":")[0].lower():
        case "+", _:
            return Target(name, _tel(name, uri, allow_premium), label)
        case _, "tel":
            return Target(name, _tel(name, uri[4:].strip(" "), allow_premium), label)
        case _, "sip" | "sips":
            return Target(name, _sip(name, uri, allow_premium), label)
    raise _refused(name, "the URI must start with tel:, sip: or sips:")


def _refused(name: str, reason: str) -> TargetError:
    return TargetError(f'transfer target "{name}": {reason} (e.g. {_EXAMPLE})')


def _tel(name: str, text: str, allow_premium: bool) -> str:
    if not _TEL_NUMBER.fullmatch(text):
        raise _refused(name, "the number must be international, a + and digits, without parameters")
    number = _parsed(text)
    if number is None or not (phonenumbers.is_valid_number(number) or _cost(number)):
        raise _refused(name, "there is no such phone number in the world's numbering plans")
    _check_cost(name, number, allow_premium)
    return "tel:" + phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _sip(name: str, uri: str, allow_premium: bool) -> str:
    parts = _SIP.fullmatch(uri)
    if parts is None or " " in uri:
        raise _refused(name, "this is not a SIP URI of the form sip:user@host:port;transport=tls")
    scheme, user, host, port, params = parts.group("scheme", "user", "host", "port", "params")
    if user is not None:
        _check_user(name, user, allow_premium)
    if not _is_host(host):
        raise _refused(
            name, "after the user there must be a host name, an IPv4 or an [IPv6] address"
        )
    if port is not None and not (port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise _refused(name, "the port must be a number from 1 to 65535")
    for param in (params or "").split(";")[1:]:
        _check_param(name, param)
    at = f"{user}@" if user is not None else ""
    return f"{scheme.lower()}:{at}{host.lower()}{f':{port}' if port else ''}{params or ''}"


def _check_user(name: str, user: str, allow_premium: bool) -> None:
    plain = unquote(user)
    if not _USER.fullmatch(user) or not (plain.isprintable() and plain.isascii()):
        raise _refused(name, "the user before @ has characters that do not belong there")
    if re.search(r"[\s<>?;@:\"]", plain):
        raise _refused(name, "the user before @ hides a character with a meaning behind %")
    number = _parsed(normalise(plain))
    if number is not None:  # a trunk dials it, so the price is the same as for tel:
        _check_cost(name, number, allow_premium)


def _check_param(name: str, param: str) -> None:
    parts = _PARAM.fullmatch(param)
    key = parts["key"].lower() if parts else ""
    if parts is None or key in _UNSAFE_PARAMS:
        raise _refused(name, "a parameter may only be plain, such as ;transport=tls or ;user=phone")
    if key == "transport" and (parts["value"] or "").lower() not in _TRANSPORTS:
        raise _refused(name, "the transport must be tls, tcp or udp")


def _check_cost(name: str, number: PhoneNumber, allow_premium: bool) -> None:
    cost = _cost(number)
    if cost and not allow_premium:
        raise _refused(name, f"this is {cost}; if that is meant, allow premium numbers for it")


def _cost(number: PhoneNumber) -> str | None:
    if number.country_code in _COSTLY_CODES:
        return "a satellite or global network number"
    return _COSTLY_TYPES.get(phonenumbers.number_type(number))


def _parsed(text: str) -> PhoneNumber | None:
    if not text.startswith("+"):
        return None
    try:
        return phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            IPv6Address(host[1:-1])
            return "%" not in host  # a zone means nothing outside one machine
        if host.replace(".", "").isdigit():
            IPv4Address(host)
            return True
    except AddressValueError:
        return False
    return len(host) <= 253 and all(_LABEL.fullmatch(part) for part in host.split("."))
