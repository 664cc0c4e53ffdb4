"""Find phone numbers, payment cards and IBANs among the many digits of a log line.

Most digits there are ids, dates, amounts and durations, and a log that hides those is useless.
So the shapes that may stay are named first; of what is left, seven digits in a row are personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import phonenumbers

Named = Callable[[str, str], str]
"""`(kind, value)` -> the placeholder to write; equal values are the same number."""

_GAP = r"[ \t./()\-\u00a0\u2007\u2009\u202f\u2010-\u2015]"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?(?![\d:])"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?!\w)"
_CURRENCY = r"\s?(?:[€$£¥]|EUR|USD|GBP|CHF|[Ee]uros?|[Dd]ollars?)"

# Shapes that are never personal, each tried where a number begins.
_MARKS = "|".join(  # UUIDs, dates, times, IP addresses: they also end a number before them
    (
        _UUID,
        *(rf"{_YEAR}{s}{_MONTH}{s}{_DAY}(?!\d)(?:[T ]{_CLOCK})?" for s in ("-", "/", r"\.")),
        *(rf"{_DAY}{s}{_DAY}{s}{_YEAR}(?!\d)" for s in ("-", "/", r"\.")),
        _CLOCK,
        rf"(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?\d)(?::\d+)?",
    )
)
_QUANTITIES = "|".join(  # short dates, amounts, decimals
    (
        *(rf"\d\d{s}\d\d{s}\d\d(?![./-]?\d)" for s in ("/", r"\.")),
        r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])",
        r"\d{1,3}(?:[.' ]\d{3})*,\d{1,2}(?!\d)",
        rf"\d{{1,3}}(?:[. ]\d{{3}})+(?!\d)(?={_CURRENCY})",
        r"(?!0\d)\d++\.\d++(?!\.\d|[ /-]\d{3,4}(?!\d))",
    )
)
_RUN = rf"\d(?:\d|{_GAP}{{1,3}}(?!(?<=\s)(?:{_MARKS}))\d){{6,120}}(?!\w)"
_SINGLES = r"\d(?:[ ,-]{1,2}\d(?!\w)){3,}(?![.:]\d)"
# A number may follow a word and a dash (`tel-030...`), but not the prefix of an id (`ACME-...`).
_START = r"(?<!\w)(?<![A-Z0-9_]-)(?<!\d\.)"
_NUMBER = re.compile(
    rf"(?:(?<=\+)|(?<=\+\())(?P<plus>{_RUN})"
    rf"|{_START}(?:(?P<safe>{_MARKS}|{_QUANTITIES})|(?P<run>{_RUN})|(?P<singles>{_SINGLES}))"
)
# Where one of these may begin, by a cheap look: digits enough, or the head of an IBAN.
_HINT = re.compile(
    rf"\d(?:{_GAP}{{0,3}}\d){{6}}|\d(?:[ ,-]{{1,2}}\d){{3}}|\d\d[ -]?[A-Za-z]{{1,4}}[ -]?\d"
)
_WORD = re.compile(r"\w+")
_ID = re.compile(rf"(?<!\w){_UUID}")
_LEAD = re.compile(r"(?<![\w.])\d+(?:[:,]\d+)*[:,]$")

_CARD = re.compile(r"4(?:\d{12}|\d{15}|\d{18})|3[47]\d{13}|3[068]\d{12,14}|[256]\d{15}|6\d{18}")
_NORTH_AMERICAN = re.compile(r"1?[2-9]\d\d[2-9]\d{6}")
_LOCAL = re.compile(r"[2-9]\d\d[ .-]\d{4}")
_UNIX_TIME = re.compile(r"1[5-9]\d{8}(?:\d{3}){0,3}")
_COMPACT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?")
_UNIT_AFTER = re.compile(
    r"\s?(?:ms|us|µs|ns|s|seconds|[kMG]i?B|B|bytes|tokens|events|frames|samples)\b"
)
_NAME_BEFORE = re.compile(
    r"(?:[a-z]{2,}-|\b(?:order|ticket|invoice|case|tracking|reference|ref|id|sku|bytes|size|pid|"
    r"bestellung|auftrag|rechnung|sendung|artikel|vorgang)s?"
    r"(?:[- ]?(?:number|no\.?|nr\.?|nummer|id))?\s?[#:=]?\s?|#)$",
    re.IGNORECASE,
)

_IBAN_GAP = re.compile(r"[ \u00a0-]")
_IBAN_LENGTHS = {
    code[:2]: int(code[2:])
    for code in (  # noqa: SIM905
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 "
        "DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 "
        "HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 "
        "MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 "
        "RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
        "VA22 VG24 XK20 YE30"
    ).split()
}


def hide_written(text: str, named: Named) -> str:
    """Replace each card (`card`), IBAN (`iban`), phone number (`phone`), other run (`digits`)."""
    hint = _HINT.search(text)
    if not hint:
        return text
    if "%2" in text:  # a plus in a URI
        text = text.replace("%2B", "+").replace("%2b", "+")
        hint = _HINT.search(text)
    parts, done = [], 0
    while hint:
        start, end, instead = _found_at(text, _begin(text, hint.start(), done), named)
        parts += [text[done:start], instead]
        done = end
        hint = _HINT.search(text, done)
    return "".join(parts) + text[done:]


def _begin(text: str, start: int, done: int) -> int:
    """Return where the time or amount begins, of which the hint saw only the end."""
    if text[start - 1 : start] in (":", ",") and (lead := _LEAD.search(text, done, start)):
        whole = _NUMBER.match(text, lead.start())
        return lead.start() if whole and whole["safe"] else start
    return start


def _found_at(text: str, start: int, named: Named) -> tuple[int, int, str]:
    """Return where it begins and ends and what to write instead, perhaps just the same."""
    if text[max(0, start - 2) : start].upper() in _IBAN_LENGTHS:
        found = _iban(text, start - 2, named)
    elif text[start - 1 : start] == "-" and (
        uuid := _ID.search(text, max(0, start - 28), start + 37)
    ):
        end = uuid.end()
        found = (start, end, text[start:end]) if uuid.start() <= start < end else None
    else:
        found = None
    found = found or _number(text, start, named)
    if found:
        return found
    word = _WORD.match(text, start)
    end = word.end() if word else start + 1
    return start, end, text[start:end]


def _iban(text: str, start: int, named: Named) -> tuple[int, int, str] | None:
    length = _IBAN_LENGTHS[text[start : start + 2].upper()]
    ends = [at for at, char in enumerate(text[start : start + 80], start + 1) if char.isalnum()]
    spread = text[start : ends[length - 1]] if length <= len(ends) else ""
    code = _IBAN_GAP.sub("", spread).upper()
    before, end = text[max(0, start - 1) : start], start + len(spread)
    if before.isalnum() or not (code.isascii() and code.isalnum() and _checks(code)):
        return None
    if before == "_" and text[end : end + 1].isalnum():
        return None  # within an id such as req_ and 32 hexadecimal digits: one in 97 checks
    return start, end, named("iban", code)


def _checks(code: str) -> bool:
    """ISO 13616: with letters counted from A = 10 and the head at the end, it is 1 modulo 97."""
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1


def _number(text: str, start: int, named: Named) -> tuple[int, int, str] | None:
    found = _NUMBER.match(text, start)
    if not found:
        return None
    if found["safe"]:
        return start, found.end(), found[0]
    digits = "".join(str(int(char)) for char in found[0] if char.isdecimal())
    kind = "phone" if found["plus"] else _kind(found, digits)
    if kind is None:
        return start, found.end(), found[0]
    if found["plus"]:
        start -= 2 if text[start - 1] == "(" else 1
    elif text[start - 1 : start] == "(" and ")" in found[0]:
        start -= 1
    return start, found.end(), named(kind, digits)


def _kind(found: re.Match[str], digits: str) -> str | None:
    """Say what a run of digits is, or `None` if it may be read."""
    if _is_card(digits):
        return "card"
    if found["singles"]:
        return "digits"
    if all(map(_is_time, found[0].split())):
        return None
    bare = found[0].isdecimal()
    if bare and _UNIT_AFTER.match(found.string, found.end()):
        return None
    if _is_phone(digits) or _LOCAL.fullmatch(found[0]):
        return "phone"
    before = found.string[max(0, found.start() - 32) : found.start()]
    return None if bare and _NAME_BEFORE.search(before) else "digits"


def _is_card(digits: str) -> bool:
    """Whether an issuer gives out such numbers and the check digit fits (ISO/IEC 7812)."""
    if not _CARD.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_time(digits: str) -> bool:
    return bool(_UNIX_TIME.fullmatch(digits) or _COMPACT_DATE.fullmatch(digits))


def _is_phone(digits: str) -> bool:
    if len(digits) > 17:
        return False
    if digits.startswith("0") or _NORTH_AMERICAN.fullmatch(digits):
        return True
    try:  # a trunk may leave out the plus
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False
