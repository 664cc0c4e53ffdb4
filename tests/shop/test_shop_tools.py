"""The bundled bot's tools, asked as the model asks them."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from offhook.core.call import Call
from offhook.core.party import Party
from offhook.shop.catalogue import PRODUCTS, STORES
from offhook.shop.tools import Shop

from .conftest import Ask, Clock


def german(call: Call) -> Call:
    return call.with_(language="de-AT")


# Orders


@pytest.mark.parametrize("said", ["ACME-12345", "acme one two three four five", " 12345 "])
async def test_an_order_is_found_by_its_said_number(ask: Ask, said: str) -> None:
    answer = await ask("lookup_order", order_number=said)
    assert answer == {
        "result": "order",
        "order_number": "ACME-12345",
        "status": "processing",
        "placed_on": "2026-03-27",
        "items": [{"name": "Kettle Classic", "quantity": 1}],
        "total": "39.90 EUR",
        "expected_on": "2026-04-02",
    }


async def test_the_items_are_named_in_the_callers_language(ask: Ask, caller: Call) -> None:
    answer = await ask("lookup_order", german(caller), order_number="12345")
    assert answer["items"] == [{"name": "Wasserkocher Classic", "quantity": 1}]


async def test_an_unknown_order_is_not_found_and_the_near_ones_are_offered(ask: Ask) -> None:
    for misheard in ("12354", "12395", "12845"):
        answer = await ask("lookup_order", order_number=misheard)
        assert answer["result"] == "not_found"
        assert answer["did_you_mean"] == ["ACME-12345"]
        assert misheard in answer["hint"]


async def test_an_order_that_resembles_none_gets_a_hint_only(ask: Ask) -> None:
    for unlike in ("99999", "14325"):  # the latter swaps digits that are no neighbours
        answer = await ask("lookup_order", order_number=unlike)
        assert answer["result"] == "not_found"
        assert "did_you_mean" not in answer


async def test_what_is_no_order_number_can_be_put_right(ask: Ask) -> None:
    answer = await ask("lookup_order", order_number="my lamp")
    assert answer["result"] == "invalid"
    assert "order_number" in answer["message"]
    assert "one by one" in answer["message"]


async def test_an_order_to_collect_names_the_store(ask: Ask) -> None:
    answer = await ask("lookup_order", order_number=str(12345 + 137 * 13))
    assert answer["status"] == "ready_for_collection"
    assert answer["collect_at"] == "Hamburg"


# Products and stock


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("desk lamp", "LT-301"),
        ("Schreibtischlampe", "LT-301"),
        ("toaster", "KT-103"),
        ("tostar", "KT-103"),
        ("ein Bohrer", "TL-501"),
        ("do you have a drill", "TL-501"),
        ("Küchenmaschine", "KT-105"),
        ("Kuechenmaschine", "KT-105"),
        ("rasenmäher", "GD-401"),
        ("kettles", "KT-101"),
        ("BBQ", "GD-405"),
    ],
)
async def test_products_are_found_by_what_callers_call_them(
    ask: Ask, query: str, best: str
) -> None:
    answer = await ask("search_products", query=query)
    assert answer["result"] == "products"
    assert answer["products"][0]["sku"] == best


async def test_a_category_finds_all_that_is_in_it_and_shows_five(ask: Ask) -> None:
    answer = await ask("search_products", query="something for the garden")
    assert {each["sku"][:2] for each in answer["products"]} == {"GD"}
    assert (len(answer["products"]), answer["more"]) == (5, 3)


async def test_a_price_limit_is_kept_to_the_cent(ask: Ask) -> None:
    exact = await ask("search_products", query="fairy lights", max_price=19.90)
    assert exact["products"][0]["price"] == "19.90 EUR"
    answer = await ask("search_products", query="fairy lights", max_price=19.89)
    assert answer["result"] == "not_found"
    assert answer["did_you_mean"] == ["Fairy Lights, 19.90 EUR"]


@pytest.mark.parametrize("query", ["bicycle", "?", "the", "\N{SLEEPING SYMBOL}"])
async def test_what_is_not_sold_is_not_found(ask: Ask, query: str) -> None:
    answer = await ask("search_products", query=query)
    assert answer["result"] == "not_found"
    assert "kitchen" in answer["hint"]


@pytest.mark.parametrize("limit", [0, -5, "cheap"])
async def test_a_price_limit_must_be_a_price(ask: Ask, limit: Any) -> None:
    assert "max_price" in (await ask("search_products", query="lamp", max_price=limit))["message"]


async def test_every_product_is_found_by_its_names_and_number(ask: Ask) -> None:
    for product in PRODUCTS:
        for said in (product.name, product.name_de):
            found = await ask("search_products", query=said)
            assert product.sku in {each["sku"] for each in found["products"]}, said
        stock = await ask("check_inventory", product=product.sku.replace("-", " "))
        assert stock["product"]["sku"] == product.sku


async def test_stock_in_one_store_comes_with_the_others(ask: Ask) -> None:
    answer = await ask("check_inventory", product="desk lamp", store="Munich")
    assert answer["result"] == "stock"
    assert answer["here"] == {"store": "München", "quantity": 3}
    assert [each["store"] for each in answer["others"]] == ["Köln", "Berlin", "Wien"]


async def test_a_store_without_stock_says_zero(ask: Ask) -> None:
    answer = await ask("check_inventory", product="k t one oh one", store="Berlin")
    assert answer["here"] == {"store": "Berlin", "quantity": 0}
    assert answer["others"]


async def test_a_word_for_several_products_asks_which_one(ask: Ask, caller: Call) -> None:
    answer = await ask("check_inventory", german(caller), product="Lampe")
    assert answer["result"] == "which_one"
    names = [each["name"] for each in answer["products"]]
    assert names == ["Nachttischlampe", "Schreibtischlampe", "Bogenlampe"]


async def test_stock_in_a_city_without_a_store_names_the_stores(ask: Ask) -> None:
    answer = await ask("check_inventory", product="hammer", store="Bern")
    assert answer["result"] == "not_found"
    assert answer["did_you_mean"] == ["Berlin", "Hamburg", "Köln", "London", "München", "Wien"]


# Stores and hours


@pytest.mark.parametrize(
    ("said", "city"),
    [
        ("Munich", "München"),
        ("münchen", "München"),
        ("in Cologne", "Köln"),
        ("Köln", "Köln"),
        ("Vienna", "Wien"),
        ("Londen", "London"),
        ("10115", "Berlin"),
        ("eins null eins eins fünf", "Berlin"),
        ("22303 Hamburg", "Hamburg"),
        ("60311", "Köln"),
        ("1090", "Wien"),
        ("SW1A 2AA", "London"),
    ],
)
async def test_a_store_is_found_by_city_or_postcode(ask: Ask, said: str, city: str) -> None:
    answer = await ask("find_store_location", city_or_postcode=said)
    assert (answer["result"], answer["city"]) == ("store", city)
    assert answer["open_now"] is True
    assert answer["today"] == "09:30 to 19:00"


@pytest.mark.parametrize("said", ["Paris", "Bern", "123", "!"])
async def test_a_city_without_a_store_gets_the_list(ask: Ask, said: str) -> None:
    answer = await ask("find_store_location", city_or_postcode=said)
    assert answer["result"] == "not_found"
    assert len(answer["did_you_mean"]) == len(STORES)


async def test_hours_tell_the_date_and_the_local_time(ask: Ask) -> None:
    assert await ask("check_company_hours") == {
        "result": "hours",
        "place": "Customer service",
        "zone": "Europe/Berlin",
        "local_time": "Friday 2026-03-27 11:00",
        "open_now": True,
        "day": "Friday 2026-03-27",
        "hours": "08:00 to 18:00",
    }


@pytest.mark.parametrize(
    ("place", "day", "told", "hours"),
    [
        ("London", "Sunday", "Sunday 2026-03-29", "11:00 to 17:00"),
        ("Berlin", "Sonntag", "Sunday 2026-03-29", "closed"),
        ("Kundendienst", "morgen", "Saturday 2026-03-28", "09:00 to 14:00"),
        ("returns", "next Friday", "Friday 2026-04-03", "09:00 to 15:00"),
        ("Werkstatt", "Freitag", "Friday 2026-03-27", "09:00 to 15:00"),
    ],
)
async def test_hours_of_a_place_and_day(
    ask: Ask, place: str, day: str, told: str, hours: str
) -> None:
    answer = await ask("check_company_hours", place=place, day=day)
    assert (answer["day"], answer["hours"]) == (told, hours)


async def test_a_holiday_is_closed_where_it_is_one(ask: Ask) -> None:
    berlin = await ask("check_company_hours", place="Berlin", day="1. Mai")
    assert (berlin["hours"], berlin["holiday"]) == ("closed", "Labour Day")
    london = await ask("check_company_hours", place="London", day="1 May")
    assert london["hours"] == "09:30 to 19:00"


async def test_a_closed_place_tells_when_it_opens_next(ask: Ask, clock: Clock) -> None:
    clock.at = dt.datetime(2026, 3, 28, 22, 0, tzinfo=dt.UTC)  # the night of the clock change
    answer = await ask("check_company_hours")
    assert answer["open_now"] is False
    assert answer["local_time"] == "Saturday 2026-03-28 23:00"
    assert answer["next_opening"] == "Monday 2026-03-30 08:00"


async def test_today_is_the_places_own_day(ask: Ask, clock: Clock) -> None:
    clock.at = dt.datetime(2026, 3, 27, 23, 30, tzinfo=dt.UTC)
    assert (await ask("check_company_hours", place="Berlin"))["day"] == "Saturday 2026-03-28"
    assert (await ask("check_company_hours", place="London"))["day"] == "Friday 2026-03-27"


async def test_an_unknown_place_or_day_is_said_so(ask: Ask) -> None:
    place = await ask("check_company_hours", place="the moon")
    assert place["result"] == "not_found"
    assert {"Berlin", "Returns"} <= set(place["did_you_mean"])
    assert (await ask("check_company_hours", day="someday"))["result"] == "not_found"


# Callbacks


def booked(shop: Shop) -> list[tuple[str, ...]]:
    with shop.database.reading() as connection:
        rows = connection.execute("SELECT call, phone, at, topic FROM callbacks ORDER BY id")
        return [tuple(row) for row in rows]


async def test_a_callback_is_written_down_and_gets_a_speakable_reference(
    ask: Ask, shop: Shop
) -> None:
    answer = await ask(
        "schedule_callback", phone="030 23125 102", when="Montag um zehn", topic="a return"
    )
    assert answer == {
        "result": "booked",
        "reference": "CB1001",
        "say_reference": "C B 1 0 0 1",
        "at": "Monday 2026-03-30 10:00",
        "zone": "Europe/Berlin",
        "phone": "+493023125102",
    }
    # Ten o'clock after the change to summer time is eight o'clock UTC.
    assert booked(shop) == [("rtc_1", "+493023125102", "2026-03-30T08:00:00+00:00", "a return")]


async def test_without_a_number_the_callers_own_is_called(ask: Ask, shop: Shop) -> None:
    answer = await ask("schedule_callback", when="tomorrow at 10", topic="x")
    assert answer["phone"] == "+493023125101"


async def test_a_number_is_read_for_the_callers_country(ask: Ask, caller: Call) -> None:
    british = caller.with_(caller=Party("+442079460123"))
    answer = await ask(
        "schedule_callback", british, phone="020 7946 0124", when="tomorrow at 10", topic="x"
    )
    assert answer["phone"] == "+442079460124"


async def test_an_anonymous_caller_is_asked_for_a_number(
    ask: Ask, caller: Call, shop: Shop
) -> None:
    answer = await ask(
        "schedule_callback", caller.with_(caller=Party()), when="tomorrow at 10", topic="x"
    )
    assert answer["result"] == "invalid"
    assert "ask for one" in answer["message"]
    assert booked(shop) == []


@pytest.mark.parametrize(
    ("when", "reason", "next_possible"),
    [
        ("yesterday at 10", "has passed", None),
        ("2026-03-26T10:00", "has passed", None),
        ("today at 10", "has passed", None),
        ("Sunday at 10", "closed all day", "Monday 2026-03-30 08:00"),  # the clocks change
        ("tomorrow at 3 pm", "open 09:00 to 14:00", "Monday 2026-03-30 08:00"),
        ("Monday 07:59", "open 08:00 to 18:00", "Monday 2026-03-30 08:00"),
        ("Monday 18:00", "open 08:00 to 18:00", "Tuesday 2026-03-31 08:00"),
        ("1. Mai um 10", "Labour Day", "Saturday 2026-05-02 09:00"),
        ("in 61 days at 10", "more than 60 days", None),
    ],
)
async def test_a_callback_that_cannot_be_is_refused_with_the_reason(
    ask: Ask, shop: Shop, when: str, reason: str, next_possible: str | None
) -> None:
    answer = await ask("schedule_callback", when=when, topic="x")
    assert answer["result"] == "refused"
    assert reason in answer["reason"]
    assert answer.get("next_possible") == next_possible
    assert booked(shop) == []


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"when": "Monday morning", "topic": "x"}, "It is now Friday 2026-03-27 11:00"),
        ({"when": "Monday at 10", "topic": "x", "phone": "12"}, "digit by digit"),
        ({"when": "Monday at 10", "topic": "  "}, "topic"),
        ({"when": "Monday at 10"}, "topic is missing"),
    ],
)
async def test_a_callback_that_is_not_clear_can_be_put_right(
    ask: Ask, shop: Shop, arguments: dict[str, str], hint: str
) -> None:
    answer = await ask("schedule_callback", **arguments)
    assert answer["result"] == "invalid"
    assert hint in answer["message"]
    assert booked(shop) == []


async def test_asking_twice_books_once(ask: Ask, caller: Call, shop: Shop) -> None:
    first = await ask("schedule_callback", when="Monday at 10", topic="x")
    again = await ask("schedule_callback", when="2026-03-30T08:00Z", topic="said differently")
    assert first == again
    other_call = await ask(
        "schedule_callback", caller.with_(id="rtc_2"), when="Monday at 10", topic="x"
    )
    assert other_call["reference"] != first["reference"]
    assert len(booked(shop)) == 2


async def test_one_function_call_books_once_whatever_the_words_mean_by_then(
    ask: Ask, caller: Call, shop: Shop
) -> None:
    call = caller.with_(asking="call_1")
    first = await ask("schedule_callback", call, when="Monday at 10", topic="x")
    again = await ask("schedule_callback", call, when="Tuesday at 11", topic="x")
    assert again["reference"] == first["reference"]
    assert len(booked(shop)) == 1


async def test_twenty_callers_are_booked_at_once(ask: Ask, caller: Call, shop: Shop) -> None:
    answers = await asyncio.gather(
        *(
            ask("schedule_callback", caller.with_(id=f"rtc_{n}"), when="Monday at 10", topic="x")
            for n in range(20)
        )
    )
    assert len({answer["reference"] for answer in answers}) == 20
    assert len(booked(shop)) == 20
