"""What gets into a record is what the policy says, field by field."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.config import load
from offhook.store.policy import Policy, Redaction, StoredNumber, policy
from offhook.store.vault import Vault, new_key

NUMBER = "+49 30 23125 001"
FULL = Policy("full", "full", "full", "full", "full")
NONE = Policy("none", "none", "none", "none", "none")


def test_masked_is_the_default_of_texts_and_full_of_numbers() -> None:
    assert policy(load(None, {}, serving=False).privacy) == Policy()
    assert Policy() == Policy("masked", "masked", "masked", "full", "masked")


def test_each_setting_has_its_field() -> None:
    names = ("TRANSCRIPTS", "TOOL_ARGUMENTS", "TOOL_RESULTS", "NUMBERS", "NAMES")
    kept = {f"OFFHOOK_KEEP_{name}": "none" for name in names}
    assert policy(load(None, kept, serving=False).privacy) == NONE


def test_full_keeps_every_text_as_it_is() -> None:
    redaction = Redaction(FULL)
    text = f"I am Ann, {NUMBER}."
    kept = (redaction.transcript, redaction.arguments, redaction.output)
    assert [keep(text) for keep in (*kept, redaction.name, redaction.detail)] == [text] * 5


def test_none_keeps_nothing_but_what_the_software_says() -> None:
    redaction = Redaction(NONE)
    assert redaction.transcript("Hello.") is None
    assert redaction.arguments("{}") is None
    assert redaction.output("{}") is None
    assert redaction.name("Ann") is None
    assert redaction.detail(f"no answer from {NUMBER}") == "no answer from [phone:1]"


def test_a_placeholder_is_the_same_number_in_all_texts_of_a_call() -> None:
    redaction = Redaction(Policy())
    assert redaction.transcript(f"Call {NUMBER} or +14255550112.") == "Call [phone:1] or [phone:2]."
    assert redaction.arguments('{"phone":"+493023125001"}') == '{"phone":"[phone:1]"}'
    assert redaction.output("Booked for +1 425 555 0112.") == "Booked for [phone:2]."
    assert Redaction(Policy()).transcript("+14255550112") == "[phone:1]"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"order_number":"1234567","n":3}', '{"order_number":"1234567","n":3}'),
        ('{"phone":493023125001}', '{"phone":"[phone:1]"}'),
        ('{"password":"open sesame","tokens":12000}', '{"password":"[secret]","tokens":12000}'),
        ('[{"mail":["ann@example.com"]},null,true]', '[{"mail":["[email:1]"]},null,true]'),
        ('{"+493023125001":1}', '{"[phone:1]":1}'),
        ('"+493023125001"', '"[phone:1]"'),
        ('{"phone":"+493023125001', '{"phone":"[phone:1]'),
        ("[" * 5000, "[" * 5000),
        ("Booked for Monday.", "Booked for Monday."),
    ],
)
def test_json_stays_json(given: str, kept: str) -> None:
    assert Redaction(Policy()).arguments(given) == kept


json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json)
def test_any_json_is_json_afterwards(value: object) -> None:
    kept = Redaction(Policy()).output(msgspec.json.encode(value).decode())
    assert kept is not None
    msgspec.json.decode(kept)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ann Example", "A. E."),
        ("Jörg von O'Neil", "J. v. O. N."),
        (NUMBER, "[phone:1]"),
        ("Ann +493023125001", "A. [phone:1]"),
        ("42", None),
        ("", None),
    ],
)
def test_a_masked_name_is_initials(name: str, initials: str | None) -> None:
    assert Redaction(Policy()).name(name) == initials


def test_a_number_is_kept_as_the_policy_says() -> None:
    vault = Vault(new_key())
    full = Policy().number("+493023125001", vault)
    assert full.hash == vault.hash("+493023125001")
    assert full.number is not None
    assert vault.unseal(full.number) == "+493023125001"
    assert full.masked == "+49 30 *****001"
    masked = Policy(numbers="masked").number("+493023125001", vault)
    assert masked == StoredNumber(full.hash, None, full.masked)
    assert Policy(numbers="none").number("+493023125001", vault) == StoredNumber()


def test_of_an_anonymous_caller_there_is_nothing_to_find_or_reveal() -> None:
    assert Policy().number(None, Vault(None)) == StoredNumber(masked="anonymous")


def test_keys_that_were_pressed_are_in_no_text() -> None:
    redaction = Redaction(Policy())
    for key in "1#4711*A":
        redaction.pressed(key)
    assert redaction.transcript("You typed 4 7 1 1, in 1 go.") == "You typed [keys], in 1 go."
    assert redaction.arguments('{"pin":"4711"}') == '{"pin":"[keys]"}'
    assert redaction.arguments('{"pin":4711,"n":11}') == '{"pin":"[keys]","n":11}'
    assert redaction.output("4711 is wrong") == "[keys] is wrong"
    assert redaction.output("4712 is right") == "4712 is right"
