"""Addresses and numbers as the network writes them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.telephony.numbers import (
    clean,
    is_number,
    mask,
    normalise,
    parse_address,
    parse_addresses,
)


@pytest.mark.parametrize(
    "text",
    [
        "sip:+14255550112@trunk.example",
        "<sip:+14255550112@trunk.example>",
        "SIP:+14255550112@TRUNK.example",
        "sips:+14255550112@trunk.example:5061;transport=tls",
        '"Ann" <sip:+14255550112@trunk.example>;tag=1',
        "Ann Example <sip:+14255550112@trunk.example;user=phone>",
        "<sip:+14255550112;user=phone@trunk.example>",
        "<sip:+14255550112;npdi;rn=+14255550000@trunk.example>",
        "<sip:%2B14255550112@trunk.example>",
        "<sip:+1-425-555-0112@trunk.example>",
        "<sip:+1(425)555.0112@trunk.example>",
        "<sip:+14255550112:secret@[2001:db8::1]:5060>",
        "<sip:0014255550112@trunk.example>",
        "tel:+14255550112",
        "<TEL:+1-425-555-0112;verstat=TN-Validation-Passed>",
        "tel:+1 425 555 0112",
        "+14255550112",
        " +1 (425) 555-0112 ",
        "<sip:+14255550112@trunk.example",
        '"a \\" <sip:nobody@x>" <sip:+14255550112@trunk.example>',
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert normalise(address.user) == "+14255550112"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('"Ann" <sip:1@x>', "Ann"),
        ('"Ann \\"the\\" \\\\ Example" <sip:1@x>', 'Ann "the" \\ Example'),
        ("Ann  Example <sip:1@x>", "Ann Example"),
        ('"" <sip:1@x>', None),
        ("<sip:1@x>", None),
        ("sip:1@x", None),
        ('"An\x00n\r\nX-Evil:\u202e 1" <sip:1@x>', "An n X-Evil: 1"),
        ('"Ann <sip:1@x>', "Ann"),
        ('"Änne Müller" <sip:1@x>', "Änne Müller"),
    ],
)
def test_the_display_name_is_one_clean_line(text: str, name: str | None) -> None:
    address = parse_address(text)
    assert address is not None
    assert address.name == name


def test_a_long_display_name_is_cut() -> None:
    address = parse_address(f'"{"x" * 500}" <sip:1@x>')
    assert address is not None
    assert address.name == "x" * 80


def test_the_parts_of_an_address_are_told_apart() -> None:
    address = parse_address("<sips:ann;a=1@Host.Example:5061;Transport=TLS?x-a=b&x-c=d>;Tag=%41")
    assert address is not None
    assert (address.scheme, address.user, address.host) == ("sips", "ann", "host.example")
    assert address.params == {"a": "1", "transport": "TLS", "tag": "A"}
    assert address.headers == "x-a=b&x-c=d"


@pytest.mark.parametrize("text", ["", " ", "Anonymous", "<>", "tel:", "sip:", '"', "<", "sip:@"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_an_address_may_have_no_user() -> None:
    address = parse_address("<sip:trunk.example;lr>")
    assert address is not None
    assert (address.user, address.host) == ("", "trunk.example")


def test_a_list_is_split_only_between_addresses() -> None:
    found = parse_addresses('"Doe, Ann" <sip:1,2@x>, junk, <tel:+14255550112>,')
    assert [a.user for a in found] == ["1,2", "+14255550112"]
    assert found[0].name == "Doe, Ann"


@pytest.mark.parametrize(
    ("user", "region", "number"),
    [
        ("+49 (0)30 23125-001", None, "+493023125001"),
        ("0049 30 23125001", None, "+493023125001"),
        ("030 23125001", "DE", "+493023125001"),
        ("030 23125001", None, "03023125001"),
        ("(425) 555-0112", "US", "+14255550112"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+15550100", None, "+15550100"),
        ("14255550112", None, "14255550112"),
        ("1001", None, "1001"),
        ("*21#", None, "*21#"),
        ("00", "DE", "00"),
        ("+12", None, "+12"),
        ("+999123456789", None, "+999123456789"),
        ("ann.example", "DE", "ann.example"),
        ("proj_abc123", None, "proj_abc123"),
        ("", None, ""),
    ],
)
def test_a_number_is_normalised_where_it_can_be_read(
    user: str, region: str | None, number: str
) -> None:
    assert normalise(user, region) == number


@given(st.integers(2_000_000_000, 9_999_999_999))
def test_a_number_of_ten_digits_behind_plus_one_is_what_the_plan_reads(number: int) -> None:
    read = phonenumbers.parse(text := f"+1{number}")
    assert phonenumbers.is_possible_number(read)
    assert phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164) == text
    assert normalise(text) == text


def test_a_name_is_no_number() -> None:
    assert is_number("+1 425")
    assert not is_number("proj_abc")
    assert not is_number("12")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+493023125001", "+49 30 *****001"),
        ("+4915123456789", "+49 ********789"),
        ("+14255550112", "+1 425 *****12"),
        ("+1 425 555 0112", "+1 425 *****12"),
        ("+15550112", "+1 *****12"),
        ("5550112", "*****12"),
        ("1001", "***1"),
        ("*21#", "***#"),
        ("ann.example", "a***"),
        ("", "***"),
        (None, "anonymous"),
    ],
)
def test_a_masked_number_hides_its_middle(number: str | None, shown: str) -> None:
    assert mask(number) == shown


@given(st.from_regex(r"\+?[0-9]{9,15}", fullmatch=True))
def test_a_mask_hides_at_least_five_digits(number: str) -> None:
    assert mask(number).count("*") >= 5


@given(st.from_regex(r"\+?[0-9]{3,128}", fullmatch=True))
def test_a_mask_fits_its_column_and_leaves_digits_out(number: str) -> None:
    shown = mask(number)
    assert len(shown) <= 64
    assert sum(map(str.isdigit, shown)) < sum(map(str.isdigit, number))


HOSTILE = st.lists(
    st.sampled_from([*'<>"\\;:@?&=%+,() \r\n\t\x00aS0123456789.[]ü', "sip:", "tel:", "%0d%0a"])
).map("".join)


@given(HOSTILE, st.sampled_from([None, "DE", "US"]))
@example('"' + "\\" * 5000, None)
@example("<" * 5000, None)
@example("sip:" + "%2B" * 5000 + "@x", None)
def test_no_text_breaks_the_parser(text: str, region: str | None) -> None:
    for address in (parse_address(text), *parse_addresses(text)):
        if address is not None:
            shown = normalise(address.user, region) + (address.name or "") + address.host
            assert not any(c in shown for c in "\r\n\t\x00")
            assert len(address.user) <= 128
            assert mask(address.user)


def test_a_host_holds_no_control_character() -> None:
    address = parse_address("ann@exa\x00mple.com")
    assert address is not None
    assert address.host == "exa mple.com"


@given(st.text(), st.integers(0, 50))
def test_clean_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned == cleaned.strip()
    assert cleaned.isprintable()
