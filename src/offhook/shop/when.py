"""Days and times as callers say them, in English or German: "tomorrow at 3 pm", "Montag halb elf".

The model has no calendar of its own, so what it heard is read here against the clock. Nothing
is guessed: what cannot be read is `None`.
"""

from __future__ import annotations

import datetime as dt
import re

from offhook.shop.words import fold, numerals, words

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WEEKTAGE = "montag dienstag mittwoch donnerstag freitag samstag sonntag"
_WEEKDAY = {
    **{name.lower(): n for n, name in enumerate(WEEKDAYS)},
    **{name: n for n, name in enumerate(words(_WEEKTAGE))},
    "sonnabend": 5,
}
_MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar maerz april mai juni juli august september oktober november dezember",
)
_MONTH = {name: n for names in _MONTHS for n, name in enumerate(words(names), 1)}
_NEARBY = {
    "gestern": -1,
    "yesterday": -1,
    "heute": 0,
    "today": 0,
    "tonight": 0,
    "uebermorgen": 2,
    "tomorrow": 1,
    "morgen": 1,  # after the others: "heute morgen" is this morning
}
_FILLERS = frozenset(  # what may surround a time that comes without a day
    words(
        "at um gegen around about ca on the in an am pm uhr half past halb quarter viertel to "
        "after nach before vor noon midday mittag mittags morning afternoon evening morgens frueh "
        "vormittag vormittags nachmittag nachmittags abend abends please bitte ungefaehr so"
    )
)

_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH_NAMES = "|".join(_MONTH)
_DATES = (  # each with the groups of day, month and year
    (re.compile(r"\b(\d{1,2})\.(0?[1-9]|1[0-2])\.(\d{4})?"), (1, 2, 3)),
    (
        re.compile(
            rf"\b(\d{{1,2}})\.? ?(?:st |nd |rd |th )?(?:of )?({_MONTH_NAMES})(?: (\d{{4}}))?\b"
        ),
        (1, 2, 3),
    ),
    (
        re.compile(rf"\b({_MONTH_NAMES}) (\d{{1,2}})\b\.?(?: (?:st|nd|rd|th))?(?: (\d{{4}}))?\b"),
        (2, 1, 3),
    ),
)
_HALF_A_DATE = re.compile(r"\d (?:st|nd|rd|th)\b|\d\.(?: |$)")  # "the 14th", of which month?
_IN_DAYS = re.compile(r"\bin (\d{1,4}) (day|tag|week|woche)\w*")
_NEXT_WEEK = re.compile(r"\b(?:next week|naechste[nr]? woche)\b")
_NEXT_WEEKDAY = re.compile(rf"\b(?:next|naechste[nrm]?|kommende[nrm]?) (?:{'|'.join(_WEEKDAY)})\b")
_SOON = re.compile(r"\bin (\d{1,4}|halben) (hour|stunde|minute)")

_HALF_PAST = re.compile(r"\bhalf past (\d{1,2})\b")
_HALB = re.compile(r"\bhalb (\d{1,2})\b")
_QUARTER = re.compile(r"\b(?:quarter|viertel) (past|after|nach|to|before|vor) (\d{1,2})\b")
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.]| uhr | )(\d{2}|0 \d)\b(?! ?\d)")
_HOUR = re.compile(
    r"\b(\d{1,2})(?= ?(?:am|pm|uhr)\b)|\b(?:at|um|gegen|around|about) (\d{1,2})\b(?! \d)"
)
_AM = re.compile(  # but "um 3 am Montag" is German
    rf"\d ?am\b(?! (?:\d|{_WEEKTAGE.replace(' ', '|')}|nachmittag|abend))"
    r"|\b(?:morning|morgens|frueh|vormittags?)\b"
)
_PM = re.compile(r"\b(?:pm|afternoon|evening|tonight|nachmittags?|abends?)\b")
_NOON = re.compile(r"\b(?:noon|midday|mittags?)\b")


def day(said: str, today: dt.date) -> dt.date | None:
    """The day that is meant. A weekday is the next one, today included unless "next" is said."""
    return _day(_normal(said), today)[0]


def moment(said: str, now: dt.datetime) -> dt.datetime | None:
    """The moment that is meant, in the time zone of `now`, which must be aware.

    A time without a day is the next such time. An hour from 1 to 7 without "am", "pm", "morning"
    or a leading zero is in the afternoon, since nobody is called back at night.
    """
    if (exact := _iso(said, now)) is not None:
        return exact
    text = _normal(said)
    if (soon := _SOON.search(text)) is not None:
        return _later(now, soon[1], soon[2])
    date, rest = _day(text, now.date())
    time = _time(rest)
    if time is None or _HALF_A_DATE.search(rest):
        return None
    if date is None and not _FILLERS.issuperset(re.findall("[a-z]+", rest)):
        return None
    at = dt.datetime.combine(date or now.date(), time, now.tzinfo)
    if at <= now and date is None:
        return at + dt.timedelta(days=1)
    if at <= now and rest == text and _weekday(text) is not None:
        return at + dt.timedelta(days=7)  # today's weekday was named, but the hour has passed
    return at


def _iso(said: str, now: dt.datetime) -> dt.datetime | None:
    if ":" not in said:
        return None  # at most a date, and "2026-03-30" is not midnight
    try:
        at = dt.datetime.fromisoformat(said.strip())
    except ValueError:
        return None
    return at.replace(tzinfo=now.tzinfo) if at.tzinfo is None else at.astimezone(now.tzinfo)


def _normal(said: str) -> str:
    """Folded words with digits for numbers; points and colons are kept within digits only."""
    text = _ISO_DATE.sub(r"\3.\2.\1 ", fold(said))
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(r"\bo\W{0,2}clock\b", "uhr", text)
    text = re.sub(r"\b(?:half an?|einer halben)\b", "halben", text)
    text = re.sub(r"\b(?:an?|eine[rm]?) (?=hour|stunde|minute|day|tag|week|woche)", "1 ", text)
    text = re.sub(r"(?<![.\d])(\d+)\.\s*$", r"\1", text)  # a full stop
    return " ".join(numerals(re.findall(r"\d+(?:[:.]\d+)*\.?|[a-z]+", text)))


def _later(now: dt.datetime, count: str, unit: str) -> dt.datetime:
    """So many hours or minutes from now, counted on the absolute time line."""
    size = 1 if unit == "minute" else 60
    minutes = int(count) * size if count.isdecimal() else size // 2
    return (now.astimezone(dt.UTC) + dt.timedelta(minutes=minutes)).astimezone(now.tzinfo)


def _day(text: str, today: dt.date) -> tuple[dt.date | None, str]:
    """The day, and the text without the digits that named it; empty for a day that is not."""
    for pattern, (day, month, year) in _DATES:
        if (found := pattern.search(text)) is not None:
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            date = _date(found[day], found[month], found[year], today)
            return date, "" if date is None else rest
    weekday = _weekday(text)
    if (found := _IN_DAYS.search(text)) is not None:
        if weekday is not None:  # "Monday in two weeks" is not the same for everyone
            return None, ""
        days = int(found[1]) * (7 if found[2] in ("week", "woche") else 1)
        return today + dt.timedelta(days), f"{text[: found.start()]} {text[found.end() :]}"
    if weekday is not None:
        return _next(weekday, text, today), text
    if "day after tomorrow" in text:
        return today + dt.timedelta(2), text
    tokens = text.split()
    near = next((days for word, days in _NEARBY.items() if word in tokens), None)
    return (None if near is None else today + dt.timedelta(near)), text


def _weekday(text: str) -> int | None:
    return next((_WEEKDAY[token] for token in text.split() if token in _WEEKDAY), None)


def _next(weekday: int, text: str, today: dt.date) -> dt.date:
    if _NEXT_WEEK.search(text):
        return today + dt.timedelta(7 - today.weekday() + weekday)
    ahead = (weekday - today.weekday()) % 7
    return today + dt.timedelta(ahead or (7 if _NEXT_WEEKDAY.search(text) else 0))


def _date(day: str, month: str, year: str | None, today: dt.date) -> dt.date | None:
    """A calendar day; without a year the next such day; `None` for 30 February."""
    number = _MONTH.get(month) or int(month)
    try:
        if year is not None:
            return dt.date(int(year), number, int(day))
        this_year = dt.date(today.year, number, int(day))
        return this_year if this_year >= today else this_year.replace(year=today.year + 1)
    except ValueError:
        return None


def _time(text: str) -> dt.time | None:
    if (found := _HALF_PAST.search(text)) is not None:
        return _at(found[1], 30, text)
    if (found := _HALB.search(text)) is not None:
        return _at(_hour_before(found[1]), 30, text)
    if (found := _QUARTER.search(text)) is not None:
        if found[1] in ("past", "after", "nach"):
            return _at(found[2], 15, text)
        return _at(_hour_before(found[2]), 45, text)
    if (found := _CLOCK.search(text)) is not None:
        return _at(found[1], int(found[2].replace(" ", "")), text)
    if (found := _HOUR.search(text)) is not None:
        return _at(found[1] or found[2], 0, text)
    return dt.time(12) if _NOON.search(text) else None


def _hour_before(hour: str) -> str:
    return str(int(hour) - 1 or 12)


def _at(said_hour: str, minute: int, text: str) -> dt.time | None:
    hour = int(said_hour)
    before_noon = _AM.search(text) is not None
    if _PM.search(text) is not None and hour < 12:
        hour += 12
    elif before_noon and hour == 12:
        hour = 0
    elif not before_noon and 1 <= hour <= 7 and not said_hour.startswith("0"):
        hour += 12
    return dt.time(hour, minute) if 0 <= hour < 24 and minute < 60 else None
