"""What callers say, and what is understood."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.shop import say, when
from offhook.shop.words import numerals, words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 3, 27, 11, 0, tzinfo=BERLIN)  # a Friday; summer time begins on the 29th


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("forty-five", "45"),
        ("fünfundvierzig", "45"),
        ("fünf und vierzig", "45"),
        ("twelve three", "12 3"),
        ("double three triple oh", "33 000"),
        ("zwo dreißig", "2 30"),
        ("thirty zero", "30 0"),
        ("twelve thousand three hundred and forty five", "12345"),
        ("zwölftausenddreihundertfünfundvierzig", "12345"),
        ("tausendeins", "1001"),
        ("007", "007"),
        ("a hundred lamps", "a 100 lamps"),
        ("keine Ahnung", "keine ahnung"),
    ],
)
def test_spoken_numbers_become_digits(said: str, heard: str) -> None:
    assert " ".join(numerals(words(said))) == heard


@pytest.mark.parametrize(
    "said",
    [
        "ACME-12345",
        "acme 12345",
        "ACME12345",
        "#12345",
        "12345",
        "A C M E dash 12345",
        "a.c.m.e. 1 2 3 4 5",
        "order number ACME one two three four five",
        "A C M E Bindestrich eins zwei drei vier fünf",
        "Meine Bestellnummer ist ACME zwölf drei fünfundvierzig",
        "acne twelve three forty-five",
        "twelve thousand three hundred forty-five",
        "alpha charlie mike echo 12345",
        "Anton Cäsar Martha Emil eins zwo drei vier fünf",
    ],
)
def test_an_order_number_is_understood_as_people_say_it(said: str) -> None:
    assert say.order_number(said) == "ACME-12345"


@pytest.mark.parametrize("said", ["", "acme", "1234", "ACME-123456", "XYZ-12345", "my lamp"])
def test_what_is_no_order_number_is_refused_with_a_hint(said: str) -> None:
    with pytest.raises(ValueError, match="ACME-12345"):
        say.order_number(said)


@pytest.mark.parametrize(
    ("said", "sku"),
    [
        ("KT-101", "KT-101"),
        ("k t one oh one", "KT-101"),
        ("article number kt 101", "KT-101"),
        ("Artikel L T drei null eins", "LT-301"),
        ("kilo tango 1 0 1", "KT-101"),
        ("desk lamp", None),
        ("KT-1011", None),
        ("garden hose 25", None),
    ],
)
def test_an_article_number_is_told_from_a_name(said: str, sku: str | None) -> None:
    assert say.sku(said) == sku


@pytest.mark.parametrize(
    ("said", "region", "number"),
    [
        ("+49 30 23125 101", "US", "+493023125101"),
        ("0049 30 23125-101", "GB", "+493023125101"),
        ("plus four nine 30 23125 101", "GB", "+493023125101"),
        ("plus vier neun drei null zwei drei eins zwei fünf eins null eins", "DE", "+493023125101"),
        ("(030) 23125 101", "DE", "+493023125101"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+1 202 555 0143", "DE", "+12025550143"),
    ],
)
def test_a_telephone_number_is_read_for_its_country(said: str, region: str, number: str) -> None:
    assert say.phone(said, region) == number


@pytest.mark.parametrize("said", ["", "12", "112", "my number", "+49 30", "1" * 40])
def test_half_a_telephone_number_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="complete telephone number"):
        say.phone(said)


def test_a_number_that_costs_whoever_calls_it_is_refused() -> None:
    with pytest.raises(ValueError, match="premium"):
        say.phone("0900 1234567")


@pytest.mark.parametrize(
    ("number", "region"),
    [("+442079460123", "GB"), ("+12025550143", "US"), (None, "DE"), ("anonymous", "DE")],
)
def test_numbers_are_read_for_the_country_that_the_caller_calls_from(
    number: str | None, region: str
) -> None:
    assert say.region_of(number) == region


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("tomorrow at 3 pm", "2026-03-28T15:00+01:00"),
        ("tomorrow at three", "2026-03-28T15:00+01:00"),
        ("morgen um 15 Uhr", "2026-03-28T15:00+01:00"),
        ("morgen früh um neun", "2026-03-28T09:00+01:00"),
        ("heute morgen um zehn", "2026-03-27T10:00+01:00"),
        ("übermorgen Viertel vor eins", "2026-03-29T12:45+02:00"),
        ("the day after tomorrow at noon", "2026-03-29T12:00+02:00"),
        ("Montag um halb elf", "2026-03-30T10:30+02:00"),
        ("am Montag um 3", "2026-03-30T15:00+02:00"),
        ("um 3 am Montag", "2026-03-30T15:00+02:00"),
        ("3 a.m. Monday", "2026-03-30T03:00+02:00"),
        ("next Monday at ten fifteen", "2026-03-30T10:15+02:00"),
        ("Monday 03:00", "2026-03-30T03:00+02:00"),
        ("friday at 12", "2026-03-27T12:00+01:00"),
        ("friday at 10", "2026-04-03T10:00+02:00"),
        ("next week tuesday at 10", "2026-03-31T10:00+02:00"),
        ("nächste Woche Dienstag um 10", "2026-03-31T10:00+02:00"),
        ("10 o'clock", "2026-03-28T10:00+01:00"),
        ("quarter past eleven", "2026-03-27T11:15+01:00"),
        ("tonight at 6", "2026-03-27T18:00+01:00"),
        ("in half an hour", "2026-03-27T11:30+01:00"),
        ("in einer halben Stunde", "2026-03-27T11:30+01:00"),
        ("in an hour", "2026-03-27T12:00+01:00"),
        ("in zwanzig Minuten", "2026-03-27T11:20+01:00"),
        ("in 3 days at 9", "2026-03-30T09:00+02:00"),
        ("in einer Woche um 9 Uhr 30", "2026-04-03T09:30+02:00"),
        ("30. März um 14.30 Uhr", "2026-03-30T14:30+02:00"),
        ("am 30.3. um 10.", "2026-03-30T10:00+02:00"),
        ("March 30th at half past two in the afternoon", "2026-03-30T14:30+02:00"),
        ("1st of April 2026 at 10:05", "2026-04-01T10:05+02:00"),
        ("2. Januar um 10", "2027-01-02T10:00+01:00"),
        ("2026-03-30T10:00", "2026-03-30T10:00+02:00"),
        ("2026-03-30T08:00Z", "2026-03-30T10:00+02:00"),
        ("2026-03-30 at 10 am", "2026-03-30T10:00+02:00"),
        ("yesterday at 10", "2026-03-26T10:00+01:00"),
        ("gestern um 10", "2026-03-26T10:00+01:00"),
    ],
)
def test_a_moment_is_understood_as_people_say_it(said: str, moment: str) -> None:
    assert when.moment(said, NOW) == dt.datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Monday morning",
        "2026-03-30",
        "tomorrow 25 Uhr",
        "30 February at 10",
        "Christmas at 10",
        "next month at 10",
        "Monday in two weeks at 10",
        "Tuesday the 14th at 10",
        "am 14. um 10 Uhr",
        "whenever",
    ],
)
def test_a_moment_that_is_not_clear_is_not_guessed(said: str) -> None:
    assert when.moment(said, NOW) is None


def test_hours_from_now_are_counted_across_the_change_of_clocks() -> None:
    before = dt.datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)
    assert when.moment("in 2 hours", before) == dt.datetime(2026, 3, 29, 4, 30, tzinfo=BERLIN)


FRAGMENTS = (
    "tomorrow morgen at um in next monday half halb quarter to am pm uhr march st days weeks hours "
    "hundred thousand double und ein acme plus 3 30 31. 2.2. : . 0 99 9999 10:30"
)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(FRAGMENTS.split()), max_size=8).map(" ".join)
)
@settings(max_examples=300)
def test_no_words_break_the_reading(said: str) -> None:
    moment = when.moment(said, NOW)
    assert moment is None or moment.tzinfo is not None
    assert len(say.sku(said) or "KT-101") == 6
    for read in (say.order_number, say.phone):
        with suppress(ValueError):
            assert read(said).startswith(("ACME-", "+"))
