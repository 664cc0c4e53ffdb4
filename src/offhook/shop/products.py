"""Products: found by article number or by what callers call them, with price and stock."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from offhook.shop import say
from offhook.shop.answers import NotFound, euros
from offhook.shop.words import words

_SHOWN = 5
_FUZZY = 0.75  # "tostar" still is a toaster
_SMALL_TALK = frozenset(
    words("a an the any some for with of do you have me i need want looking new ein eine einen der "
          "die das den fuer mit haben sie ich suche brauche moechte neue neuen neues")
)  # fmt: skip


class Product(Struct, frozen=True):
    """One article as it is offered."""

    sku: str
    name: str
    price: str


class Products(Struct, tag_field="result", tag="products", frozen=True):
    """What fits a search, best first; `more` says how many are not shown."""

    products: tuple[Product, ...]
    more: int


class Which(Struct, tag_field="result", tag="which_one", frozen=True):
    """Several fit equally well; the caller must say which one."""

    products: tuple[Product, ...]


class InStore(Struct, frozen=True):
    """How many there are in one store."""

    store: str
    quantity: int


class Stock(Struct, tag_field="result", tag="stock", omit_defaults=True, frozen=True):
    """The stock of one article: in the store that was asked for, and in the others that have it."""

    product: Product
    here: InStore | None = None
    others: tuple[InStore, ...] = ()
    nowhere: bool = False


def search(
    connection: sqlite3.Connection, query: str, max_price: float | None, german: bool
) -> Products | NotFound:
    """Products by words of either language, small mistakes allowed. The price limit is in euros."""
    found = [row for _, row in _ranked(connection, query)]
    if not found:
        return _unknown(query)
    limit = None if max_price is None else round(max_price * 100)
    within = [row for row in found if limit is None or row["price"] <= limit]
    if not within:
        cheapest = min(found, key=lambda row: int(row["price"]))
        return NotFound(
            f"Nothing that fits costs at most {max_price:g} EUR. The cheapest is in did_you_mean.",
            (f"{_name(cheapest, german)}, {euros(cheapest['price'])}",),
        )
    shown = tuple(_product(row, german) for row in within[:_SHOWN])
    return Products(shown, len(within) - len(shown))


def stock(
    connection: sqlite3.Connection, said: str, store: sqlite3.Row | None, german: bool
) -> Stock | Which | NotFound:
    """How many of one product there are, in all stores or first of all in one."""
    best = _best(connection, said)
    match best:
        case []:
            return _unknown(said)
        case [row]:
            return _stock(connection, row, store, german)
        case _:
            return Which(tuple(_product(row, german) for row in best[:_SHOWN]))


def _stock(
    connection: sqlite3.Connection, row: sqlite3.Row, store: sqlite3.Row | None, german: bool
) -> Stock:
    counted = connection.execute(
        "SELECT stores.id, city, quantity FROM stock JOIN stores ON stores.id = stock.store "
        "WHERE sku = ? ORDER BY quantity DESC, city",
        (row["sku"],),
    ).fetchall()
    mine = store["id"] if store is not None else None
    return Stock(
        _product(row, german),
        here=next((InStore(c["city"], c["quantity"]) for c in counted if c["id"] == mine), None),
        others=tuple(
            InStore(c["city"], c["quantity"]) for c in counted if c["id"] != mine and c["quantity"]
        ),
        nowhere=not any(c["quantity"] for c in counted),
    )


def _best(connection: sqlite3.Connection, said: str) -> list[sqlite3.Row]:
    """The product of that article number, else all that fit best."""
    if (sku := say.sku(said)) is not None:
        query = "SELECT * FROM products WHERE sku = ?"
        if (row := connection.execute(query, (sku,)).fetchone()) is not None:
            return [row]
    ranked = _ranked(connection, said)
    return [row for score, row in ranked if score == ranked[0][0]]


def _ranked(connection: sqlite3.Connection, query: str) -> list[tuple[float, sqlite3.Row]]:
    """Products that fit at least half as well as the best one, best and cheapest first."""
    asked = [word for word in words(query) if word not in _SMALL_TALK]
    rows = connection.execute("SELECT * FROM products").fetchall()
    scored = [(_score(asked, words(row["said"]), words(row["category"])), row) for row in rows]
    best = max(score for score, _ in scored)
    fitting = [(score, row) for score, row in scored if score > 0 and 2 * score >= best]
    return sorted(fitting, key=lambda each: (-each[0], each[1]["price"]))


def _score(asked: Sequence[str], known: Sequence[str], category: Sequence[str]) -> float:
    """How well the asked words fit: 0 if not even half of them do."""
    fits = [max(_fit(word, known), 1.5 * (word in category)) for word in asked]
    return sum(fits) if 2 * sum(fit > 0 for fit in fits) >= len(fits) else 0


def _fit(asked: str, known: Sequence[str]) -> float:
    """How well a word is one of the known: 3 if it is; a small mistake counts less than half."""
    if asked in known:
        return 3
    if len(asked) < 3:
        return 0
    if any(k.startswith(asked) or (len(k) > 3 and asked.startswith(k)) for k in known):
        return 2
    if len(asked) > 3 and any(asked in k for k in known):  # "lampe" in "schreibtischlampe"
        return 1.8
    near = any(SequenceMatcher(None, asked, k).ratio() >= _FUZZY for k in known)
    return 1.2 if near else 0


def _product(row: sqlite3.Row, german: bool) -> Product:
    return Product(row["sku"], _name(row, german), euros(row["price"]))


def _name(row: sqlite3.Row, german: bool) -> str:
    name: str = row["name_de" if german else "name"]
    return name


def _unknown(query: str) -> NotFound:
    return NotFound(
        f"There is no product like {query[:60]!r}. We sell kitchen appliances, audio, lighting, "
        "garden equipment and tools; ask the caller for another word or the article number."
    )
