"""What the bundled bot can do. Each tool reads what was said, asks the database, and answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated

from msgspec import Struct
from pydantic import BeforeValidator, Field, StringConstraints

from offhook.core.call import Call
from offhook.core.outcomes import InvalidArguments
from offhook.shop import callbacks, orders, places, products, say
from offhook.shop.answers import NotFound, Refused
from offhook.shop.database import Database
from offhook.tools import Tool, tool


def _as_said(read: Callable[[str], str]) -> BeforeValidator:
    """Put what was said into standard form before it is judged."""
    return BeforeValidator(lambda given: read(given) if isinstance(given, str) else given)


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Shop(Struct, frozen=True):
    """The shop as the tools see it: its data, and a clock that tells aware moments."""

    database: Database
    now: Callable[[], dt.datetime]

    @property
    def tools(self) -> tuple[Tool, ...]:
        """All tools. Plain functions, so each runs in a thread and may wait for the disk."""
        return (
            tool(timeout=5)(self.lookup_order),
            tool(timeout=5)(self.search_products),
            tool(timeout=5)(self.check_inventory),
            tool(timeout=5)(self.find_store_location),
            tool(timeout=5)(self.check_company_hours),
            tool(effects=True, finish=True)(self.schedule_callback),
        )

    def lookup_order(
        self,
        call: Call,
        order_number: Annotated[
            str,
            _as_said(say.order_number),
            "As printed on the receipt, e.g. ACME-12345, or as the caller said it.",
        ],
    ) -> orders.Order | NotFound:
        """Look up one order: its status, what is in it, and when it comes."""
        with self.database.reading() as connection:
            return orders.order(connection, order_number, _german(call))

    def search_products(
        self,
        call: Call,
        query: Annotated[Text, "What the caller is looking for, in German or English."],
        max_price: Annotated[float | None, Field(gt=0), "The most it may cost, in euros."] = None,
    ) -> products.Products | NotFound:
        """Find products that ACME sells, with their prices."""
        with self.database.reading() as connection:
            return products.search(connection, query, max_price, _german(call))

    def check_inventory(
        self,
        call: Call,
        product: Annotated[Text, "Name of the product or article number, as the caller said it."],
        store: Annotated[Text | None, "City of the store; leave out for all stores."] = None,
    ) -> products.Stock | products.Which | NotFound:
        """Check how many of a product are in stock, and in which stores."""
        with self.database.reading() as connection:
            place = None if store is None else places.store(connection, store)
            if isinstance(place, NotFound):
                return place
            return products.stock(connection, product, place, _german(call))

    def find_store_location(
        self,
        city_or_postcode: Annotated[Text, "A city or a postcode, as the caller said it."],
    ) -> places.Location | NotFound:
        """Find a store: its address, telephone number and today's hours."""
        with self.database.reading() as connection:
            return places.location(connection, city_or_postcode, self.now())

    def check_company_hours(
        self,
        place: Annotated[
            Text | None,
            "City of a store, or a department: customer service, sales, returns, repairs. "
            "Leave out for customer service.",
        ] = None,
        day: Annotated[Text | None, "E.g. 'tomorrow', 'Saturday'; leave out for today."] = None,
    ) -> places.Opening | NotFound:
        """Tell today's date and time, and when a store or a department is open."""
        with self.database.reading() as connection:
            return places.opening(connection, place, day, self.now())

    def schedule_callback(
        self,
        call: Call,
        when: Annotated[Text, "Day and time as the caller said it, e.g. 'tomorrow at 3 pm'."],
        topic: Annotated[Text, "What it is about, in a few words."],
        phone: Annotated[
            Text | None, "The number to call; leave out for the one the caller is calling from."
        ] = None,
    ) -> callbacks.Booked | Refused | InvalidArguments:
        """Book a callback by customer service. Ask the caller to confirm number and time first."""
        try:
            number = _number(call, phone)
            key = call.idempotency_key if call.asking else None
            asked = callbacks.Request(call.id, number, when, topic, key)
            with self.database.writing() as connection:
                return callbacks.book(connection, asked, self.now())
        except ValueError as error:
            return InvalidArguments(f"Not booked: {error}.")


def _number(call: Call, said: str | None) -> str:
    """The E.164 number to call back. Raises `ValueError` when there is none."""
    if said is not None:
        return say.phone(said, say.region_of(call.caller.number))
    if call.caller.number is None:
        raise ValueError("the caller withholds the number; ask for one")
    return say.phone(call.caller.number)


def _german(call: Call) -> bool:
    return call.language.lower().startswith("de")
