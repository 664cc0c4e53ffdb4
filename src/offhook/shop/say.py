"""What callers say for order numbers, article numbers and telephone numbers, in standard form.

The model often passes on what it heard ("ACME one two three, four five"). So say-able forms are
put into standard form first and judged afterwards; a `ValueError` tells the model what to ask.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from offhook.shop.words import fold, numerals, words

_NOISE = frozenset(  # without "a", which is the A of A C M E
    words(
        "the my is it its order orders number no nr hash dash hyphen minus slash code article "
        "item sku reference and die der das mein meine ist es lautet bestellung bestellnummer "
        "auftrag auftragsnummer nummer bindestrich strich artikel artikelnummer und"
    )
)
_ACME = frozenset({"", "acme", "akme", "ackme", "acne"})  # also as it is misheard
_COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


def order_number(said: str) -> str:
    """`ACME-12345` for "acme 12345", "A C M E dash one two three four five" and the like."""
    heard = [word for word in numerals(words(said)) if word not in _NOISE]
    digits = "".join(word for word in heard if word.isdecimal())
    letters = [word for word in heard if not word.isdecimal()]
    if len(digits) != 5 or not {"".join(letters), _initials(letters)} & _ACME:
        raise ValueError(
            "an order number is ACME and five digits, e.g. ACME-12345; "
            "ask the caller to read the digits out one by one"
        )
    return f"ACME-{digits}"


def sku(said: str) -> str | None:
    """`KT-101` for "k t one oh one" and the like; `None` for what is no article number."""
    heard = [word for word in numerals(words(said)) if word not in _NOISE]
    digits = "".join(word for word in heard if word.isdecimal())
    letters = [word for word in heard if not word.isdecimal()]
    prefix = "".join(letters) if len("".join(letters)) == 2 else _initials(letters)
    if len(digits) != 3 or len(prefix) != 2:
        return None
    return f"{prefix.upper()}-{digits}"


def phone(said: str, region: str = "DE") -> str:
    """The E.164 form of a said number; `region` is where one without a country code belongs.

    Refuses what is too short or too long for its country, and numbers at the expense of
    whoever calls them.
    """
    plus = bool(re.match(r"\s*(\+|plus\b|00)", fold(said)))
    digits = "".join(word for word in numerals(words(said)) if word.isdecimal())
    text = f"+{digits.removeprefix('00')}" if plus else digits
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise ValueError(_UNREADABLE_PHONE) from error
    short = len(str(number.national_number)) < 6  # 112 and the like are "possible" numbers
    if short or not phonenumbers.is_possible_number(number):
        raise ValueError(_UNREADABLE_PHONE)
    if phonenumbers.number_type(number) in _COSTLY:
        raise ValueError("premium rate numbers are not called back; ask for another number")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def region_of(number: str | None, otherwise: str = "DE") -> str:
    """The country of an E.164 number, for reading others that are said without one."""
    try:
        parsed = phonenumbers.parse(number or "")
    except NumberParseException:
        return otherwise
    return phonenumbers.region_code_for_number(parsed) or otherwise


_UNREADABLE_PHONE = (
    "this is not a complete telephone number; ask the caller to say it digit by digit, "
    "with the country code"
)


def _initials(letters: list[str]) -> str:
    """What spelling words spell: `Anton Cäsar Martha Emil`, `alpha charlie mike echo`."""
    return "".join(word[0] for word in letters) if all(len(w) > 1 for w in letters) else "?"
