"""The shop's tables, and the rows they start with: always the same, dated relative to today."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator

from offhook.shop.catalogue import (
    CATEGORIES,
    DEPARTMENTS,
    HEAD_OFFICE_ZONE,
    HOLIDAYS,
    PRODUCTS,
    STORES,
    WEEKS,
    Product,
)
from offhook.shop.words import fold

ORDERS = 60

_TABLES = (
    """CREATE TABLE products (
        sku TEXT PRIMARY KEY, name TEXT NOT NULL, name_de TEXT NOT NULL,
        price INTEGER NOT NULL, said TEXT NOT NULL, category TEXT NOT NULL)""",
    """CREATE TABLE stores (
        id TEXT PRIMARY KEY, city TEXT NOT NULL, said TEXT NOT NULL, street TEXT NOT NULL,
        postcode TEXT NOT NULL, regions TEXT NOT NULL, phone TEXT NOT NULL,
        zone TEXT NOT NULL, country TEXT NOT NULL)""",
    """CREATE TABLE departments (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, said TEXT NOT NULL,
        zone TEXT NOT NULL, country TEXT NOT NULL)""",
    """CREATE TABLE hours (
        place TEXT NOT NULL, weekday INTEGER NOT NULL, opens TEXT NOT NULL, closes TEXT NOT NULL,
        PRIMARY KEY (place, weekday))""",
    """CREATE TABLE holidays (
        country TEXT NOT NULL, month INTEGER NOT NULL, day INTEGER NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY (country, month, day))""",
    """CREATE TABLE stock (
        sku TEXT NOT NULL REFERENCES products, store TEXT NOT NULL REFERENCES stores,
        quantity INTEGER NOT NULL, PRIMARY KEY (sku, store))""",
    """CREATE TABLE orders (
        number TEXT PRIMARY KEY, status TEXT NOT NULL, placed_on TEXT NOT NULL,
        expected_on TEXT, delivered_on TEXT, carrier TEXT, store TEXT REFERENCES stores)""",
    """CREATE TABLE order_lines (
        number TEXT NOT NULL REFERENCES orders, sku TEXT NOT NULL REFERENCES products,
        quantity INTEGER NOT NULL, PRIMARY KEY (number, sku))""",
    """CREATE TABLE callbacks (
        id INTEGER PRIMARY KEY, call TEXT NOT NULL, phone TEXT NOT NULL, at TEXT NOT NULL,
        topic TEXT NOT NULL, booked_at TEXT NOT NULL, UNIQUE (call, phone, at))""",
)

_KEYS = (  # since version 2
    "ALTER TABLE callbacks ADD COLUMN key TEXT",
    "CREATE UNIQUE INDEX callbacks_key ON callbacks (key)",
)


def add_keys(connection: sqlite3.Connection) -> None:
    """Bring the tables from version 1 to 2: callbacks know which function call booked them."""
    for statement in _KEYS:
        connection.execute(statement)


def fill(connection: sqlite3.Connection, today: dt.date) -> None:
    """Create all tables and rows, within the transaction that the caller has begun."""
    for table in _TABLES:
        connection.execute(table)
    add_keys(connection)
    _insert(connection, "products", (_product(p) for p in PRODUCTS))
    _insert(connection, "stores", (store[:-1] for store in STORES))
    _insert(
        connection,
        "departments",
        ((d.id, d.name, d.said, HEAD_OFFICE_ZONE, "DE") for d in DEPARTMENTS),
    )
    _insert(connection, "hours", _hours())
    _insert(
        connection,
        "holidays",
        ((country, *day, name) for country, days in HOLIDAYS.items() for day, name in days.items()),
    )
    _insert(
        connection,
        "stock",
        (
            (product.sku, store.id, max(0, (7 * p + 5 * s * s + 3) % 17 - 4))
            for p, product in enumerate(PRODUCTS)
            for s, store in enumerate(STORES)
        ),
    )
    _insert(connection, "orders", (_order(n, today) for n in range(ORDERS)))
    _insert(connection, "order_lines", (line for n in range(ORDERS) for line in _lines(n)))


def _insert(
    connection: sqlite3.Connection, table: str, rows: Iterator[tuple[str | int | None, ...]]
) -> None:
    first, *others = rows
    marks = ", ".join("?" * len(first))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [first, *others])  # noqa: S608


def _product(product: Product) -> tuple[str | int, ...]:
    said = fold(f"{product.name} {product.name_de} {product.also}")
    sku, name, name_de, price, _ = product
    return sku, name, name_de, price, said, CATEGORIES[sku[:2]]


def _hours() -> Iterator[tuple[str, int, str, str]]:
    for place in (*STORES, *DEPARTMENTS):
        for weekday, hours in enumerate(WEEKS[place.week]):
            if hours:
                opens, closes = hours.split("-")
                yield place.id, weekday, opens, closes


def _number(n: int) -> str:
    return f"ACME-{12345 + 137 * n}"


def _order(n: int, today: dt.date) -> tuple[str | None, ...]:
    """The nth order, one for every 18 hours back from today. Its age decides how far it is."""
    age = n * 3 // 4
    placed = today - dt.timedelta(age)
    status, expected, delivered, carrier, store = _progress(n, age)
    return (
        _number(n),
        status,
        placed.isoformat(),
        None if expected is None else (placed + dt.timedelta(expected)).isoformat(),
        None if delivered is None else (placed + dt.timedelta(delivered)).isoformat(),
        carrier,
        store,
    )


def _progress(n: int, age: int) -> tuple[str, int | None, int | None, str | None, str | None]:
    """Status, days until expected, days until delivered, carrier, store to collect from."""
    carrier = ("Swift Parcel", "NordPost")[n % 2]
    if n % 11 == 5:
        return "cancelled", None, None, None, None
    if n % 9 == 4:
        status = "ready_for_collection" if age > 1 else "processing"
        return status, 2, None, None, STORES[n % len(STORES)].id
    if age >= 7 and n % 13 == 7:
        return "returned", None, 6, carrier, None
    match age:
        case 0 | 1:
            return "processing", 6, None, None, None
        case 2 | 3:
            return "packed", 6, None, None, None
        case 4 | 5:
            return "shipped", 6, None, carrier, None
        case 6:
            return "out_for_delivery", 6, None, carrier, None
        case _:
            return "delivered", None, 6, carrier, None


def _lines(n: int) -> Iterator[tuple[str, str, int]]:
    for line in range(1 + n % 3):
        yield _number(n), PRODUCTS[(7 * n + 11 * line) % len(PRODUCTS)].sku, 1 + (n + line) % 4 // 3
