"""Read SIP and tel addresses as the network writes them, and phone numbers inside them.

Grammar: RFC 3261 section 25 (name-addr, addr-spec) and RFC 3966 (tel). The text comes from the
caller, so nothing here raises on bad input, and every step is linear in its length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from msgspec import Struct

MAX_TEXT = 2048
_MAX_NAME = 80
_MAX_USER = 128
_MAX_DIGITS = 32  # to be shown; E.164 ends at 15
_HIDDEN = 5  # digits: 100,000 people it could be

_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*+)"')
_SCHEME = re.compile(r"\s*(sips?|tel):", re.IGNORECASE)
_HOST = re.compile(r"\[[0-9A-Fa-f:.]*\]|[^:;?\s]*")
_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")
_NUMBER = re.compile(r"\+?[0-9*#]{3,}")
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")  # the plan of +1: ten digits, without exception


class Address(Struct, frozen=True):
    """One parsed address. `user` is percent-decoded and carries no parameters.

    `scheme` is `sip`, `sips` or `tel`, or empty if the text names none; `params` are those
    of the URI and of the header field, names in lower case; `headers` is the undecoded text
    after `?` in the URI.
    """

    scheme: str
    user: str
    host: str = ""
    name: str | None = None
    params: dict[str, str] = {}
    headers: str = ""


@lru_cache(maxsize=8)  # a delivery is read several times over, and `To` is that of all calls
def parse_address(text: str) -> Address | None:
    """Read `"Ann" <sip:+14255550112@example.com>;tag=1`, `tel:+1-425-555-0112` and the like.

    Returns `None` if there is no address in the text.
    """
    name, rest = _display_name(text[:MAX_TEXT])
    opened, bracket, inside = rest.partition("<")
    if not bracket:
        return _parse_uri(rest.strip(), name, "")
    uri, _, after = inside.partition(">")
    if name is None:
        name = clean(opened, _MAX_NAME).strip('" ') or None
    return _parse_uri(uri.strip(), name, after)


def parse_addresses(text: str) -> list[Address]:
    """Read a header that lists addresses separated by commas, such as `History-Info`."""
    found = (parse_address(part) for part in _split_list(text[:MAX_TEXT]))
    return [address for address in found if address is not None]


def clean(text: str, limit: int) -> str:
    """Return the text as one line without control or formatting characters, cut to `limit`.

    Formatting characters go too because they can turn the reading direction of a log line.
    """
    visible = text[:MAX_TEXT]
    if not visible.isprintable():  # Unicode's categories C and Z, but for the space
        visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in visible)
    return " ".join(visible.split())[:limit].strip()


def normalise(user: str, region: str | None = None) -> str:
    """Return the number as E.164 (`+14255550112`) if it can be read so, else `user` itself.

    A number is international if it starts with `+` or `00`; any other is read as one of
    `region` (`"DE"`), if given. Visual separators are dropped where the rest is a number.
    """
    dense = _SEPARATORS.sub("", user)
    if not _NUMBER.fullmatch(dense):
        return user
    if "*" in dense or "#" in dense:  # dialled on a keypad, a service code of the PBX
        return dense
    if dense.startswith("00"):
        number = _e164("+" + dense[2:], None)
    elif dense.startswith("+"):
        # with its separators: "+49 (0)30" drops the zero, "+49030" might not
        number = _e164(user, None)
    else:
        number = _e164(dense, region) if region else None
    return number or dense


def is_number(user: str) -> bool:
    """Whether a user part is something one could dial, rather than a name such as `proj_abc`."""
    return _NUMBER.fullmatch(_SEPARATORS.sub("", user)) is not None


def mask(number: str | None) -> str:
    """Return a number that can be shown: who knows it recognises it, nobody can dial it.

    `+493023125001` becomes `+49 30 *****001`: the country, the area where the number has one,
    and two or three last digits. At least five digits are hidden, or all but one of a number too
    short for that; of what is no number only the first letter stays. Nobody is `anonymous`.
    """
    if number is None:
        return "anonymous"
    if not is_number(number):
        return number[:1] + "***"
    dense = _SEPARATORS.sub("", number)[:_MAX_DIGITS]
    head, rest = _country_and_area(dense)
    tail = min(3, len(rest) - _HIDDEN) if len(rest) > _HIDDEN + 1 else 1
    return head + "*" * (len(rest) - tail) + rest[-tail:]


def _country_and_area(dense: str) -> tuple[str, str]:
    """Split into what may be shown at the front, and the rest; the area only of a long number."""
    try:
        number = phonenumbers.parse(dense)
    except phonenumbers.NumberParseException:
        return "", dense
    rest = phonenumbers.national_significant_number(number)
    area = phonenumbers.length_of_geographical_area_code(number)
    if not 0 < area <= len(rest) - _HIDDEN - 2:
        return f"+{number.country_code} ", rest
    return f"+{number.country_code} {rest[:area]} ", rest[area:]


@lru_cache(maxsize=8)  # who is called is the same for many calls
def _e164(text: str, region: str | None) -> str | None:
    if _NORTH_AMERICAN.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _display_name(text: str) -> tuple[str | None, str]:
    quoted = _QUOTED.match(text)
    if not quoted:
        return None, text
    name = quoted[1]
    if "\\" in name:
        name = re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL)
    return clean(name, _MAX_NAME) or None, text[quoted.end() :]


def _parse_uri(uri: str, name: str | None, after: str) -> Address | None:
    scheme = _SCHEME.match(uri)
    rest = uri[scheme.end() :] if scheme else uri
    kind = scheme[1].lower() if scheme else ""
    if kind == "tel":
        number, _, params = rest.partition(";")
        return _address(kind, number, "", name, f"{params};{after}", "")
    userinfo, at, host_part = rest.partition("@")
    if not at:
        userinfo, host_part = ("", rest) if kind else (rest, "")
    host = _HOST.match(host_part)
    tail, _, headers = (host_part[host.end() :] if host else "").partition("?")
    user, _, user_params = userinfo.partition(";")
    if not kind and not at:
        user, user_params = user.strip(), ""
        if not is_number(user):  # a bare word is no address
            return None
    params = f"{user_params};{tail.partition(';')[2]};{after}"
    return _address(kind, user.partition(":")[0], host[0] if host else "", name, params, headers)


def _address(
    scheme: str, user: str, host: str, name: str | None, params: str, headers: str
) -> Address | None:
    user, host = clean(unquote(user), _MAX_USER), clean(host, _MAX_USER)
    if not user and not host:
        return None
    return Address(scheme, user, host.lower(), name, dict(_params(params)), headers)


def _params(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        key, _, value = part.partition("=")
        if key.strip():
            yield clean(key, _MAX_USER).lower(), clean(unquote(value), _MAX_USER).strip('"')


def _split_list(text: str) -> Iterator[str]:
    """Split at commas that are neither quoted nor inside angle brackets."""
    start, quoted, bracketed, escaped = 0, False, False, False
    for at, char in enumerate(text):
        if escaped:
            escaped = False
            continue
        match char:
            case "\\" if quoted:
                escaped = True
            case '"' if not bracketed:
                quoted = not quoted
            case "<" | ">" if not quoted:
                bracketed = char == "<"
            case "," if not (quoted or bracketed):
                yield text[start:at]
                start = at + 1
    yield text[start:]
