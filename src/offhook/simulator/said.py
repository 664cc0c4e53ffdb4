"""What a caller's words contain: numbers, days, cities, yes or no. Rules, no understanding."""

from __future__ import annotations

import re

_DIGITS = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|"
    "null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun"
)
_SPOKEN = re.compile(rf"\b(?:(?:{_DIGITS})\b[ ,.-]*){{3,}}", re.IGNORECASE)
_CODE = re.compile(r"\b[A-Z]{2,}[ -]?\d[\d -]*\d")
_BARE_CODE = re.compile(r"\b\d[\d -]{2,}\d")
_PHONE = re.compile(r"(?:\+|\b00|\b0)\d[\d ()/-]{4,}\d")
_PLAIN_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_LIMIT = re.compile(
    r"\b(?:under|below|less than|at most|up to|max(?:imum)?|cheaper than|"
    r"unter|höchstens|bis zu|maximal|weniger als)\s+(\d+(?:[.,]\d+)?)",
    re.IGNORECASE,
)
_DAY = (
    "today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|next week|"
    "heute|übermorgen|morgen|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
)
_TIME = (
    r"\d{1,2}[:.]\d\d(?:\s*(?:am|pm|uhr))?|\d{1,2}\s*(?:am|pm|a\.m\.|p\.m\.|o'clock|uhr)|"
    r"noon|mittags?|(?:in the )?(?:morning|afternoon)|nachmittags?|vormittags?"
)
_WHEN = re.compile(
    rf"\b(?:{_DAY})\b(?:[ ,]*(?:at|um|gegen)?[ ,]*(?:{_TIME}))?|(?:at |um )(?:{_TIME}|\d{{1,2}})\b",
    re.IGNORECASE,
)
_DAY_ONLY = re.compile(rf"\b(?:{_DAY})\b", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:in|near|at|to|for|bei|nach)\s+(?:the\s+|der\s+)?"
    r"([A-ZÄÖÜ][\wäöüß-]+|\d{4,5}\b|[A-Z]{1,2}\d\w?(?: \d\w\w)?)"
)
_POSTCODE = re.compile(r"\b\d{4,5}\b")
_TOPIC = re.compile(
    r"\b(?:about|because of|because|regarding|concerning|wegen|bezüglich|es geht um)\s+(.+)",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\b(?:yes|yeah|yep|sure|correct|right|please do|ok|okay|exactly|ja|genau|richtig|gern|gerne|"
    r"stimmt)\b",
    re.IGNORECASE,
)
_NO = re.compile(r"\b(?:no|nope|not|wrong|nein|nicht|falsch)\b", re.IGNORECASE)
_WRITTEN = (
    r"(?:record|write|written|writing|transcri|mitschreib|mitgeschrieben|aufzeichn|"
    r"aufgezeichnet|aufnehm|aufgenommen)"
)
_REFUSES = re.compile(
    rf"\b(?:not?|never|stop|without|don't|nicht|keine?|ohne)\b[^.?!]*{_WRITTEN}|"
    rf"{_WRITTEN}[^.?!]*\b(?:nicht|keine?|off)\b|\b(?:do not|don't|nicht) (?:agree|consent)|"
    r"\bnicht einverstanden\b",
    re.IGNORECASE,
)
_ASKS_TO_WRITE = re.compile(rf"{_WRITTEN}[^?!]*\?", re.IGNORECASE)
_GOODBYE = re.compile(
    r"\b(?:good ?bye|bye|see you|that(?:'s| is| was) (?:all|it)|nothing else|"
    r"no,? thank(?:s| you)|have a nice day|hang up|tschüss?|auf wieder(?:hören|sehen)|"
    r"nein,? danke|das (?:war|wäre) (?:alles|es)|das war's|schönen tag)\b",
    re.IGNORECASE,
)
_HUMAN = re.compile(
    r"\b(?:humans?|persons?|real people|someone real|agents?|representative|operator|colleague|"
    r"mensch(?:en)?|mitarbeiter(?:in)?|kolleg(?:e|en|in)|jemand(?:en)? sprechen|berater(?:in)?)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(r"\b(?:thanks|thank you|great|danke|super|prima)\b", re.IGNORECASE)
_HELLO = re.compile(
    r"^\W*(?:hello|hi|hey|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|"
    r"moin|servus)\b\W*(?:there)?\W*$",
    re.IGNORECASE,
)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[found.lastindex or 0].strip(" ,.-") if found else None


def code(text: str) -> str | None:
    """Something like an order or article number, as it was said: `ACME 12345`, `one two three`."""
    return _first(_CODE, text) or _first(_BARE_CODE, text) or _first(_SPOKEN, text)


def phone(text: str) -> str | None:
    """A telephone number as it was said."""
    return _first(_PHONE, text) or _first(_SPOKEN, text)


def number(text: str) -> float | None:
    """The first number."""
    found = _first(_PLAIN_NUMBER, text)
    return None if found is None else float(found.replace(",", "."))


def limit(text: str) -> float | None:
    """A number that is named as a limit: `under 50 euros`."""
    found = _first(_LIMIT, text)
    return None if found is None else float(found.replace(",", "."))


def moment(text: str) -> str | None:
    """A day, a time or both: `tomorrow at 3 pm`, `Montag um 10 Uhr`."""
    return _first(_WHEN, text)


def day(text: str) -> str | None:
    """A day: `Saturday`, `morgen`."""
    return _first(_DAY_ONLY, text)


def place(text: str) -> str | None:
    """A city after `in`, `near` and the like, or a postcode."""
    return _first(_PLACE, text) or _first(_POSTCODE, text)


def topic(text: str) -> str | None:
    """What something is about, if it is said with `about` and the like."""
    found = _first(_TOPIC, text)
    return found.strip(" .?!") if found else None


def agrees(text: str) -> bool | None:
    """Yes, no, or neither."""
    if _NO.search(text):
        return False
    return True if _YES.search(text) else None


def refuses_writing(text: str) -> bool:
    """Whether the caller does not want to be written down or recorded."""
    return bool(_REFUSES.search(text))


def asks_to_write(text: str) -> bool:
    """Whether this asks for leave to write down what is said."""
    return bool(_ASKS_TO_WRITE.search(text))


def says_goodbye(text: str) -> bool:
    """Whether the caller wants nothing more."""
    return bool(_GOODBYE.search(text))


def wants_a_human(text: str) -> bool:
    """Whether the caller asks for a person."""
    return bool(_HUMAN.search(text))


def thanks(text: str) -> bool:
    """Whether the caller says thanks."""
    return bool(_THANKS.search(text))


def greets(text: str) -> bool:
    """Whether the caller says hello and nothing else."""
    return bool(_HELLO.search(text))
