"""Who calls whom, read from the SIP headers that a webhook carries.

The cloud passes on the INVITE's headers unchanged, so all of this is text that the caller chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from msgspec import Struct

from offhook.core.party import Party
from offhook.telephony.numbers import (
    MAX_TEXT,
    Address,
    is_number,
    normalise,
    parse_address,
    parse_addresses,
)

_MAX_HEADERS = 200
_COMPACT = {"f": "from", "t": "to", "i": "call-id"}  # RFC 3261, section 7.3.3
_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PRIVATE = {"id", "user", "header", "full", "uri", "name"}

# What networks write in place of a number that is withheld. The digits spell ANONYMOUS,
# RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a keypad; Twilio sends those.
_WITHHELD = {
    *("anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked"),
    *("266696687", "7378742833", "2562533", "8656696", "86282452253"),
}

_ID = re.compile(r"[\x21-\x7e]{1,128}")
_CARRIER_IDS = {
    "twilio_call_sid": "x-twilio-callsid",
    "telnyx_call_leg_id": "x-call-leg-id",
    "telnyx_call_session_id": "x-call-session-id",
    "sip_call_id": "call-id",
}


class SipHeaders(Struct, frozen=True):
    """The headers of an INVITE; names in any case, values in the order they came.

    Made by `parse`. Custom headers (`X-...`) match with `-` and `_` alike, and also where a
    trunk left them inside the To URI (`<sip:proj_1@host?x_twilio_callsid=CA...>`).
    """

    fields: dict[str, tuple[str, ...]] = {}

    def get(self, name: str) -> str | None:
        """Return the first value of a header, or `None`."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, perhaps none."""
        return self.fields.get(_key(name), ())


def parse(raw: object) -> SipHeaders:
    """Read the webhook's `sip_headers`, a list of `{"name": ..., "value": ...}`.

    What is not of that shape is skipped: a strange header is no reason to let a caller ring.
    """
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in _pairs(raw):
        key = _key(name)
        fields[key] = (*fields.get(key, ()), value)
    for to in fields.get("to", ()):
        for name, value in _embedded(to):
            key = _key(name)
            fields[key] = (*fields.get(key, ()), value)
    return SipHeaders(fields)


def caller(headers: SipHeaders, *, trusted: bool = True, region: str | None = None) -> Party:
    """Return who calls: `P-Asserted-Identity`, else `Remote-Party-ID`, else `From`.

    The first two are only worth something from a trunk that sets them itself; with `trusted`
    off, `From` alone counts. `region` reads national numbers, see `numbers.normalise`. Nobody
    is named where the caller asked for privacy (RFC 3323, RFC 3325).
    """
    found = next(_identities(headers, trusted), None)
    if found is None or _asks_for_privacy(headers) or _withheld(found):
        return Party()
    return Party(normalise(found.user, region), found.name)


def called(headers: SipHeaders, *, region: str | None = None) -> str | None:
    """Return the number that the caller dialled, or `None` if no header tells it.

    After a diversion that is the oldest entry: the last `Diversion` (RFC 5806), the first
    `History-Info` (RFC 7044). `To` often holds only the project (`proj_...`), which is no number.
    """
    diverted = [a for text in headers.all("diversion") for a in parse_addresses(text)]
    history = [a for text in headers.all("history-info") for a in parse_addresses(text)]
    to = parse_address(headers.get("to") or "")
    for address in (*reversed(diverted), *history, to):
        if address and is_number(address.user) and not _withheld(address):
            return normalise(address.user, region)
    return None


def carrier_ids(headers: SipHeaders) -> dict[str, str]:
    """Return the ids to quote when asking a carrier about this call; only those that are there.

    Keys: `twilio_call_sid`, `telnyx_call_leg_id`, `telnyx_call_session_id`, `sip_call_id`.
    """
    given = ((key, headers.get(name)) for key, name in _CARRIER_IDS.items())
    return {key: value for key, value in given if value and _ID.fullmatch(value)}


def verstat(headers: SipHeaders) -> str | None:
    """Return what the network says of the caller's number (STIR/SHAKEN), if it says anything.

    E.g. `TN-Validation-Passed-A`, from `X-Twilio-VerStat` or the `verstat` parameter of the
    identity (3GPP TS 24.229).
    """
    said = headers.get("x-twilio-verstat")
    if said is None:
        tagged = (a.params.get("verstat") for a in _identities(headers, trusted=True))
        said = next((tag for tag in tagged if tag), None)
    return said if said and _ID.fullmatch(said) else None


def _pairs(raw: object) -> Iterator[tuple[str, str]]:
    if not isinstance(raw, list | tuple):
        return
    for item in raw[:_MAX_HEADERS]:
        match item:
            case {"name": str(name), "value": str(value)} if _NAME.fullmatch(name.strip()):
                yield name, _CONTROL.sub(" ", value[:MAX_TEXT]).strip()


def _key(name: str) -> str:
    key = name.strip().lower()
    if key.startswith(("x-", "x_")):
        return key.replace("_", "-")
    return _COMPACT.get(key, key)


def _embedded(to: str) -> Iterator[tuple[str, str]]:
    address = parse_address(to)
    for part in address.headers.split("&")[:_MAX_HEADERS] if address else ():
        name, _, value = part.partition("=")
        # only custom ones: a URI must not be able to forge an identity header
        if name.lower().startswith(("x-", "x_")) and _NAME.fullmatch(name):
            yield name, _CONTROL.sub(" ", unquote(value)).strip()


def _identities(headers: SipHeaders, trusted: bool) -> Iterator[Address]:
    if trusted:
        for name in ("p-asserted-identity", "remote-party-id"):
            for text in headers.all(name):
                yield from (a for a in parse_addresses(text) if a.user)
    sender = parse_address(headers.get("from") or "")
    if sender:
        yield sender


def _asks_for_privacy(headers: SipHeaders) -> bool:
    wishes = {w.strip().lower() for text in headers.all("privacy") for w in text.split(";")}
    return not wishes.isdisjoint(_PRIVATE)


def _withheld(address: Address) -> bool:
    user = address.user.lower().lstrip("+")
    return (
        not user
        or user in _WITHHELD
        or (address.name or "").lower() in _WITHHELD
        or address.host == "anonymous.invalid"
        or address.params.get("privacy", "").lower() in _PRIVATE
    )
