"""A person's number is found in any text, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.store.subject.mentions import Mentions

BERLIN = Mentions("+49 30 23125 001")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Call +493023125001.", "Call [phone]."),
        ("+49 (0)30 / 23125-001, please", "[phone], please"),
        ("004930 23125001", "[phone]"),
        ("4930-23125001", "[phone]"),
        ("(030) 23 12 50 01 or 030 23125002", "[phone] or 030 23125002"),
        ("30 23125001", "[phone]"),
        ('{"phone":"+4930 23125001","n":1}', '{"phone":"[phone]","n":1}'),
        ('{"phone":493023125001,"ok":true}', '{"phone":"[phone]","ok":true}'),
        ('{"+493023125001":[null,1.5]}', '{"[phone]":[null,1.5]}'),
        ('"+493023125001"', '"[phone]"'),
        ('{"phone":"+493023125001', '{"phone":"[phone]'),
        ("null drei null zwei drei eins zwei fünf null null eins", "[digits]"),
        ("three zero two three one two five double zero one", "[digits]"),
    ],
)
def test_the_number_goes_in_every_notation(text: str, left: str) -> None:
    assert BERLIN.hidden(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello.",
        "030 23125002",
        "930231250019",
        "order 3023125001234",
        '{"n":30,"m":[23125001]}',
        "eins zwei drei vier fünf",
        "[not JSON",
    ],
)
def test_a_text_without_it_is_left_alone(text: str) -> None:
    assert BERLIN.hidden(text) is None


def test_a_short_number_is_never_looked_for_in_texts() -> None:
    assert Mentions("1001").hidden("Room 1001, please.") is None


def test_a_name_instead_of_a_number_is_never_found() -> None:
    assert Mentions("ann").hidden("ann") is None


@given(st.text())
def test_a_second_look_finds_nothing_more(text: str) -> None:
    left = BERLIN.hidden(f"{text} +493023125001 {text}")
    assert left is not None
    assert BERLIN.hidden(left) is None
