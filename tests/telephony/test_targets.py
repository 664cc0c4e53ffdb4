"""Where a call may be transferred to, and where not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import TargetError
from offhook.telephony.targets import Target, parse_target


@pytest.mark.parametrize(
    ("given_uri", "uri"),
    [
        ("tel:+14155552671", "tel:+14155552671"),
        ("tel:+1 415 555 2671", "tel:+14155552671"),
        ("TEL:+1-415-555.2671", "tel:+14155552671"),
        ("tel: +49 (0)30 23125-001", "tel:+493023125001"),
        ("+493023125001", "tel:+493023125001"),
        ("  +49 30/23125 001 ", "tel:+493023125001"),
        ("tel:+80012345678", "tel:+80012345678"),
        ("sip:example.com", "sip:example.com"),
        ("SIP:Queue@PBX.Example.com", "sip:Queue@pbx.example.com"),
        ("sips:queue@pbx.example.com:5061", "sips:queue@pbx.example.com:5061"),
        ("sip:+14155552671@192.0.2.1;transport=tls", "sip:+14155552671@192.0.2.1;transport=tls"),
        ("sip:1001@[2001:db8::1]:5060;lr", "sip:1001@[2001:db8::1]:5060;lr"),
        ("sip:q@pbx;user=phone;transport=UDP", "sip:q@pbx;user=phone;transport=UDP"),
        ("sip:%2B14155552671@example.com", "sip:%2B14155552671@example.com"),
    ],
)
def test_a_plain_target_is_accepted_in_its_plainest_form(given_uri: str, uri: str) -> None:
    assert parse_target("billing", given_uri, "Billing") == Target("billing", uri, "Billing")


def test_a_target_in_plain_form_stays_as_it_is() -> None:
    target = parse_target("billing", "tel:+1 415 555 2671")
    assert parse_target("billing", target.uri) == target


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "+",
        "tel:",
        "tel:+",
        "tel:4155552671",
        "tel:112",
        "tel:+1AAA BBB CCCC",
        "tel:+1-800-FLOWERS",
        "tel:+14155552671;ext=5",
        "tel:+14155552671;phone-context=example.com",
        "tel:+1415555267",
        "tel:+999123456789",
        "tel:+\uff11\uff14155552671",
        "4155552671",
        "https://example.com",
        "mailto:ann@example.com",
        "billing",
        "sip:",
        "sip:@example.com",
        "sip:user@",
        "sip:a@b@c",
        "sip:user:password@example.com",
        "sip:user name@example.com",
        "sip:user@exa mple.com",
        "sip:user@-example.com",
        "sip:user@example..com",
        "sip:user@300.1.1.1",
        "sip:user@1.2.3",
        "sip:user@[2001:db8::zz]",
        "sip:user@[fe80::1%25eth0]",
        "sip:user@[2001:db8::1",
        "sip:user@example.com:0",
        "sip:user@example.com:65536",
        "sip:user@example.com:",
        "sip:user@example.com:x",
        "sip:user@example.com;",
        "sip:user@example.com;;lr",
        "sip:user@example.com;transport",
        "sip:user@example.com;transport=carrier-pigeon",
        "sip:user@example.com;method=INVITE",
        "sip:user@example.com;METHOD=BYE",
        "sip:user@example.com;maddr=192.0.2.9",
        "sip:user@example.com;x=%0d%0a",
        "sip:user@example.com?Replaces=abc",
        "sip:us?er@example.com",
        "sip:user%0d%0aX-Evil:1@example.com",
        "sip:user%3fx@example.com",
        "sip:user%40evil.example@example.com",
        "sip:user%@example.com",
        "sip:us%20er@example.com",
        "sip:us;er=1@example.com",
        "<sip:user@example.com>",
        '"Ann" <sip:user@example.com>',
        "sip:user@example.com\r\nX-Evil: 1",
        "sip:user@example.com\n",
        "sip:user@example.com\x00",
        "sip:user@ex\u00e4mple.com",
        "sip:user@example.com, sip:other@example.com",
        "sip:" + "u" * 500 + "@example.com",
    ],
)
def test_what_is_not_plain_is_refused(uri: str) -> None:
    with pytest.raises(TargetError, match=r'transfer target "billing": .+ \(e\.g\. tel:\+'):
        parse_target("billing", uri)


@pytest.mark.parametrize(
    "uri",
    [
        "tel:+19005550100",
        "tel:+499001234567",
        "tel:+491805123456",
        "tel:+447012345678",
        "tel:+80812345678",
        "tel:+870773111632",
        "tel:+881612345678",
        "tel:+8835100012345",
        "tel:+97912345678",
        "sip:+19005550100@trunk.example.com",
        "sip:%2B19005550100@trunk.example.com",
        "sip:0019005550100@trunk.example.com",
        "sip:+1-900-555-0100@trunk.example.com",
    ],
)
def test_a_dear_number_needs_permission(uri: str) -> None:
    with pytest.raises(TargetError, match="allow premium"):
        parse_target("hotline", uri)
    assert parse_target("hotline", uri, allow_premium=True).uri == uri


@pytest.mark.parametrize(
    "name", ["", "Billing", "bil ling", "b\u00fcro", "-x", "x" * 33, "a\n", 'a"b', "../x"]
)
def test_a_name_is_a_short_identifier(name: str) -> None:
    with pytest.raises(TargetError, match=r"transfer target .*e\.g\. billing") as raised:
        parse_target(name, "tel:+14155552671")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["a", "billing", "night-shift_2", "2nd"])
def test_short_identifiers_are_names(name: str) -> None:
    assert parse_target(name, "tel:+14155552671").name == name


PIECES = [
    *"+0123456789abcXYZ @:;=?<>\r\n\t\"'%&,.[]()-_/\\",
    *["sip:", "sips:", "tel:", "+49 30 23125", "example.com", ";transport=tls", "%0d", "\u00a0"],
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text())
def test_nothing_that_is_accepted_can_add_a_header(uri: str) -> None:
    try:
        target = parse_target("any", uri)
    except TargetError:
        return
    assert not set(target.uri) & set('\r\n\t?<>" ')
    assert target.uri.startswith(("tel:+", "sip:", "sips:"))
    assert parse_target("any", target.uri) == target


@given(
    st.sampled_from(["sip:q@pbx.example.com", "tel:+14155552671"]),
    st.text(st.sampled_from(list('\r\n?<>"\x00\x7f')), min_size=1),
    st.integers(0, 30),
)
def test_no_place_in_a_uri_lets_a_breaking_character_through(
    uri: str, breaking: str, at: int
) -> None:
    with pytest.raises(TargetError):
        parse_target("any", uri[:at] + breaking + uri[at:])
