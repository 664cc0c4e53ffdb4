"""Orders: where one is, and which numbers are easily mistaken for another."""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from offhook.shop.answers import NotFound, euros

_OFFERED = 3


class Line(Struct, frozen=True):
    """One article of an order."""

    name: str
    quantity: int


class Order(Struct, tag_field="result", tag="order", omit_defaults=True, frozen=True):
    """One order without anything personal, since a caller only proves to know its number.

    `status` is `processing`, `packed`, `shipped`, `out_for_delivery`, `delivered`,
    `ready_for_collection`, `cancelled` or `returned`. Days are ISO dates.
    """

    order_number: str
    status: str
    placed_on: str
    items: tuple[Line, ...]
    total: str
    expected_on: str | None = None
    delivered_on: str | None = None
    carrier: str | None = None
    collect_at: str | None = None


def order(connection: sqlite3.Connection, number: str, german: bool) -> Order | NotFound:
    """The order of that number, or numbers that differ in one place only."""
    row = connection.execute(
        "SELECT orders.*, stores.city FROM orders LEFT JOIN stores ON stores.id = orders.store "
        "WHERE number = ?",
        (number,),
    ).fetchone()
    if row is None:
        return _not_found(connection, number)
    lines = connection.execute(
        "SELECT name, name_de, price, quantity FROM order_lines JOIN products USING (sku) "
        "WHERE number = ? ORDER BY sku",
        (number,),
    ).fetchall()
    return Order(
        order_number=row["number"],
        status=row["status"],
        placed_on=row["placed_on"],
        items=tuple(
            Line(each["name_de" if german else "name"], each["quantity"]) for each in lines
        ),
        total=euros(sum(each["price"] * each["quantity"] for each in lines)),
        expected_on=row["expected_on"],
        delivered_on=row["delivered_on"],
        carrier=row["carrier"],
        collect_at=row["city"],
    )


def _not_found(connection: sqlite3.Connection, number: str) -> NotFound:
    known = [row[0] for row in connection.execute("SELECT number FROM orders ORDER BY number")]
    near = tuple(each for each in known if _near(each, number))[:_OFFERED]
    return NotFound(
        f"There is no order {number}. Read the digits back to the caller and check them one by "
        "one; the number is on the receipt and in the confirmation e-mail.",
        near,
    )


def _near(one: str, other: str) -> bool:
    """Whether one digit is misheard or two neighbours are swapped."""
    apart = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    match apart:
        case [_]:
            return True
        case [first, second] if second == first + 1:
            return one[first] == other[second] and one[second] == other[first]
        case _:
            return False
