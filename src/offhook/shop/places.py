"""Stores and departments: found by what callers call them, with address and opening hours."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from difflib import SequenceMatcher

from msgspec import Struct

from offhook.shop import when
from offhook.shop.answers import NotFound
from offhook.shop.catalogue import CUSTOMER_SERVICE
from offhook.shop.hours import Hours, Span, said
from offhook.shop.words import fold, numerals, words

_FUZZY = 0.82  # Londen is London, but Bern is not Berlin
_BRITISH = re.compile(r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}")


class Location(Struct, tag_field="result", tag="store", omit_defaults=True, frozen=True):
    """Where a store is. `nearest` is set when it is the one nearest to a postcode."""

    city: str
    street: str
    postcode: str
    phone: str
    open_now: bool
    today: str
    nearest: bool = False


class Opening(Struct, tag_field="result", tag="hours", omit_defaults=True, frozen=True):
    """The hours of one place on one day, on its own clock, of the IANA zone `zone`."""

    place: str
    zone: str
    local_time: str
    open_now: bool
    day: str
    hours: str
    holiday: str | None = None
    next_opening: str | None = None


def store(connection: sqlite3.Connection, name: str) -> sqlite3.Row | NotFound:
    """The row of the store of a city, by its German or English name."""
    rows = connection.execute("SELECT *, city AS title FROM stores ORDER BY city").fetchall()
    found = _called(name, rows)
    if found is not None:
        return found
    return NotFound(
        f"There is no store in {name[:60]!r}. Our stores are in did_you_mean.",
        tuple(row["city"] for row in rows),
    )


def location(
    connection: sqlite3.Connection, city_or_postcode: str, now: dt.datetime
) -> Location | NotFound:
    """The store in a city, or the one nearest to a German, Austrian or British postcode."""
    near = _by_postcode(connection, city_or_postcode)
    row = near if near is not None else store(connection, city_or_postcode)
    if isinstance(row, NotFound):
        return row
    hours = hours_of(connection, row)
    return Location(
        city=row["city"],
        street=row["street"],
        postcode=row["postcode"],
        phone=row["phone"],
        open_now=hours.is_open(now),
        today=_told(hours.on(hours.local(now).date())),
        nearest=near is not None,
    )


def opening(
    connection: sqlite3.Connection, place: str | None, day: str | None, now: dt.datetime
) -> Opening | NotFound:
    """When a store or a department is open; without a place, customer service."""
    row = _place(connection, place)
    if isinstance(row, NotFound):
        return row
    hours = hours_of(connection, row)
    local = hours.local(now)
    date = when.day(day, local.date()) if day else local.date()
    if date is None:
        return NotFound(f"{day!r} is no day that can be read; ask for a weekday or a date.")
    upcoming = None if hours.is_open(now) else hours.next_opening(now)
    return Opening(
        place=row["title"],
        zone=hours.zone,
        local_time=said(local),
        open_now=hours.is_open(now),
        day=f"{when.WEEKDAYS[date.weekday()]} {date}",
        hours=_told(hours.on(date)),
        holiday=hours.holiday(date),
        next_opening=None if upcoming is None else said(upcoming),
    )


def customer_service(connection: sqlite3.Connection) -> Hours:
    """The hours in which people are called back."""
    return hours_of(connection, _department(connection, CUSTOMER_SERVICE))


def hours_of(connection: sqlite3.Connection, row: sqlite3.Row) -> Hours:
    """The hours of a store or a department, given its row."""
    week = connection.execute(
        "SELECT weekday, opens, closes FROM hours WHERE place = ?", (row["id"],)
    )
    days = connection.execute(
        "SELECT month, day, name FROM holidays WHERE country = ?", (row["country"],)
    )
    return Hours(
        row["zone"],
        {n: Span(dt.time.fromisoformat(a), dt.time.fromisoformat(b)) for n, a, b in week},
        {(month, day): name for month, day, name in days},
    )


def _place(connection: sqlite3.Connection, name: str | None) -> sqlite3.Row | NotFound:
    if name is None or not words(name):
        return _department(connection, CUSTOMER_SERVICE)
    rows = connection.execute("SELECT *, name AS title FROM departments ORDER BY name").fetchall()
    department = _called(name, rows)
    if department is not None:
        return department
    found = store(connection, name)
    if isinstance(found, NotFound):
        places = (*found.did_you_mean, *(row["name"] for row in rows))
        return NotFound(f"There is no store or department {name[:60]!r}.", places)
    return found


def _department(connection: sqlite3.Connection, id_: str) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(
        "SELECT *, name AS title FROM departments WHERE id = ?", (id_,)
    ).fetchone()
    return row


def _called(name: str, rows: list[sqlite3.Row]) -> sqlite3.Row | None:
    """The row that a word of the name belongs to: exactly, or with a small mistake."""
    heard = words(name)
    for row in rows:
        if set(heard) & set(words(row["said"])):
            return row
    for row in rows:
        if any(_similar(word, known) for word in heard for known in words(row["said"])):
            return row
    return None


def _similar(one: str, other: str) -> bool:
    return len(one) > 3 and SequenceMatcher(None, one, other).ratio() >= _FUZZY


def _by_postcode(connection: sqlite3.Connection, text: str) -> sqlite3.Row | None:
    digits = "".join(word for word in numerals(words(text)) if word.isdecimal())
    match len(digits):
        case _ if _BRITISH.search(fold(text)):
            query, given = "SELECT * FROM stores WHERE country = ?", "GB"
        case 4:
            query, given = "SELECT * FROM stores WHERE country = ?", "AT"
        case 5:
            query, given = "SELECT * FROM stores WHERE instr(regions, ?)", digits[0]
        case _:
            return None
    row: sqlite3.Row | None = connection.execute(query, (given,)).fetchone()
    return row


def _told(span: Span | None) -> str:
    return "closed" if span is None else str(span)
