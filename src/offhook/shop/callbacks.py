"""Callbacks: booked once, within the hours of customer service, with a reference to read out."""

from __future__ import annotations

import datetime as dt
import sqlite3

from msgspec import Struct

from offhook.shop import when
from offhook.shop.answers import Refused
from offhook.shop.hours import said
from offhook.shop.places import customer_service

AHEAD = dt.timedelta(days=60)


class Booked(Struct, tag_field="result", tag="booked", frozen=True):
    """A callback that will be made. `say_reference` is the reference as it is read out."""

    reference: str
    say_reference: str
    at: str
    zone: str
    phone: str


class Request(Struct, frozen=True):
    """What to book: for which call, which E.164 number, when, in the caller's words.

    `key` is the same for every run of one function call: such a one is booked once.
    """

    call: str
    phone: str
    when: str
    topic: str
    key: str | None = None


def book(connection: sqlite3.Connection, asked: Request, now: dt.datetime) -> Booked | Refused:
    """Book a callback. The same call asking again for the same number and time gets the same.

    Raises `ValueError` when the time cannot be read.
    """
    hours = customer_service(connection)
    local = hours.local(now)
    at = when.moment(asked.when, local)
    if at is None:
        raise ValueError(
            "the day and time cannot be read; say e.g. 'tomorrow at 3 pm', 'Monday 10:30' "
            f"or an ISO date and time. It is now {said(local)}, {hours.zone}"
        )
    if at <= local:
        return Refused(f"{said(at)} has passed; it is now {said(local)}.")
    if at - local > AHEAD:
        return Refused(f"{said(at)} is more than {AHEAD.days} days ahead.")
    if not hours.is_open(at):
        opening = hours.next_opening(at)
        holiday = hours.holiday(at.date())
        span = hours.on(at.date())
        that_day = holiday or (f"open {span}" if span else "closed all day")
        return Refused(
            f"Customer service is closed on {said(at)} ({that_day}).",
            None if opening is None else said(opening),
        )
    reference = _write(connection, asked, at.astimezone(dt.UTC), now)
    return Booked(reference, " ".join(reference), said(at), hours.zone, asked.phone)


def _write(
    connection: sqlite3.Connection, asked: Request, at: dt.datetime, now: dt.datetime
) -> str:
    same = (asked.call, asked.phone, at.isoformat())
    connection.execute(
        "INSERT INTO callbacks (call, phone, at, topic, booked_at, key) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (*same, asked.topic, now.astimezone(dt.UTC).isoformat(), asked.key),
    )
    row = connection.execute(
        "SELECT id FROM callbacks WHERE key = ? OR (call = ? AND phone = ? AND at = ?) "
        "ORDER BY key = ? DESC LIMIT 1",
        (asked.key, *same, asked.key),
    ).fetchone()
    return f"CB{1000 + row['id']}"
