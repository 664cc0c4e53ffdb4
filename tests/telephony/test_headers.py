"""The SIP headers of a webhook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.party import Party
from offhook.telephony.headers import SipHeaders, called, caller, carrier_ids, parse, verstat

NUMBER = "+14255550112"


def sip(*pairs: tuple[str, str]) -> SipHeaders:
    return parse([{"name": name, "value": value} for name, value in pairs])


def test_names_match_in_any_case_and_values_keep_their_order() -> None:
    headers = sip(("Via", "one"), ("VIA", "two"), ("via", "three"))
    assert headers.get("vIa") == "one"
    assert headers.all("VIA") == ("one", "two", "three")


def test_a_header_that_is_not_there_is_none() -> None:
    assert sip().get("From") is None
    assert sip().all("From") == ()


def test_compact_names_are_the_long_ones() -> None:
    headers = sip(("f", f"<sip:{NUMBER}@x>"), ("t", "<tel:+493023125001>"), ("i", "abc@x"))
    assert caller(headers).number == NUMBER
    assert called(headers) == "+493023125001"
    assert carrier_ids(headers) == {"sip_call_id": "abc@x"}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "From: x",
        {"From": "x"},
        [None, 1, "From", [], {}],
        [{"name": "From"}, {"value": "x"}, {"name": "From", "value": None}],
        [{"name": 1, "value": "x"}, {"name": "From", "value": ["x"]}],
        [{"name": "", "value": "x"}, {"name": "Fr om", "value": "x"}],
        [{"name": "Evil\r\nFrom", "value": "x"}, {"name": "x" * 999, "value": "x"}],
    ],
)
def test_what_is_no_header_is_skipped(raw: object) -> None:
    assert parse(raw) == SipHeaders({})


def test_a_line_break_in_a_value_adds_no_line() -> None:
    headers = sip(("From", f"<sip:{NUMBER}@x>\r\nP-Asserted-Identity: <tel:+493023125001>"))
    assert headers.get("P-Asserted-Identity") is None
    assert "\n" not in (headers.get("From") or "\n")
    assert caller(headers).number == NUMBER


def test_huge_values_are_cut_and_huge_lists_too() -> None:
    headers = sip(("X-Big", "x" * 100_000), *[("X-Many", "x")] * 10_000)
    assert len(headers.get("X-Big") or "") == 2048
    assert len(headers.all("X-Many")) == 199


def test_the_network_s_word_counts_more_than_the_caller_s() -> None:
    sender = ("From", '"Chosen" <sip:+15550199@x>')
    remote = ("Remote-Party-ID", '"Remote" <sip:+493023125001@x>;party=calling;screen=yes')
    asserted = ("P-Asserted-Identity", f'"Asserted" <sip:{NUMBER}@x>, <tel:{NUMBER}>')
    assert caller(sip(sender, remote, asserted)) == Party(NUMBER, "Asserted")
    assert caller(sip(sender, remote)) == Party("+493023125001", "Remote")
    assert caller(sip(sender)) == Party("+15550199", "Chosen")


def test_without_trust_in_the_trunk_only_from_counts() -> None:
    headers = sip(("P-Asserted-Identity", f"<tel:{NUMBER}>"), ("From", "<sip:+15550199@x>"))
    assert caller(headers, trusted=False).number == "+15550199"


def test_an_unreadable_identity_falls_back_to_the_next() -> None:
    headers = sip(("P-Asserted-Identity", "junk"), ("From", f"<sip:{NUMBER}@x>"))
    assert caller(headers).number == NUMBER


@pytest.mark.parametrize(
    "value",
    [
        '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
        "<sip:c8oqz84zk7z@anonymous.invalid>",
        "Anonymous",
        "anonymous@anonymous.invalid",
        "<sip:Restricted@x>",
        "<sip:unavailable@x>",
        "<sip:UNKNOWN@x>",
        "<sip:+266696687@x>",
        "<sip:+7378742833@x>",
        f'"Anonymous" <sip:{NUMBER}@x>',
        "<sip:trunk.example>",
        "<sip:@x>",
        "",
    ],
)
def test_a_withheld_number_is_none(value: str) -> None:
    assert caller(sip(("From", value))) == Party()
    assert caller(sip(("From", value))).anonymous


@pytest.mark.parametrize("wish", ["id", "user;id", "ID;critical", "header", "none;id"])
def test_a_wish_for_privacy_is_kept(wish: str) -> None:
    headers = sip(("P-Asserted-Identity", f"<tel:{NUMBER}>"), ("Privacy", wish))
    assert caller(headers) == Party()


def test_no_wish_for_privacy_is_no_privacy() -> None:
    headers = sip(("P-Asserted-Identity", f"<tel:{NUMBER}>"), ("Privacy", "none"))
    assert caller(headers).number == NUMBER


def test_remote_party_id_can_ask_for_privacy_itself() -> None:
    headers = sip(("Remote-Party-ID", f"<sip:{NUMBER}@x>;privacy=full"))
    assert caller(headers) == Party()


def test_a_name_for_a_user_is_kept_as_sent() -> None:
    assert caller(sip(("From", '"Ann" <sip:ann.example@x>'))) == Party("ann.example", "Ann")


def test_a_national_number_is_read_in_its_region() -> None:
    headers = sip(("From", "<sip:03023125001@x>"), ("To", "<sip:03023125002@x>"))
    assert caller(headers, region="DE").number == "+493023125001"
    assert called(headers, region="DE") == "+493023125002"


PROJECT = ("To", "<sip:proj_abc@sip.api.openai.com;transport=tls>")


def test_the_project_is_not_the_number_called() -> None:
    assert called(sip(PROJECT)) is None
    assert called(sip()) is None


def test_the_number_called_first_is_the_number_called() -> None:
    newest = ("Diversion", "<sip:+493023125002@x>;reason=unconditional")
    oldest = ("Diversion", "<tel:+493023125001>;reason=no-answer")
    assert called(sip(PROJECT, newest, oldest)) == "+493023125001"
    history = "<sip:+493023125003@x?Reason=SIP>;index=1, <sip:proj_abc@y>;index=1.1"
    assert called(sip(PROJECT, ("History-Info", history))) == "+493023125003"
    assert called(sip(("To", f"<sip:{NUMBER}@x>"))) == NUMBER


def test_carrier_ids_are_found_under_their_headers() -> None:
    sid = "CA" + "0" * 32
    headers = sip(
        ("X-Twilio-CallSid", sid),
        ("X-call_leg_id", "leg-1"),
        ("X-call_session_id", "session-1"),
        ("Call-ID", "03782086-4ce9-44bf-8b0d-4e303d2cc590"),
    )
    assert carrier_ids(headers) == {
        "twilio_call_sid": sid,
        "telnyx_call_leg_id": "leg-1",
        "telnyx_call_session_id": "session-1",
        "sip_call_id": "03782086-4ce9-44bf-8b0d-4e303d2cc590",
    }


def test_an_id_with_spaces_or_endless_is_no_id() -> None:
    assert carrier_ids(sip(("Call-ID", "a b"), ("X-Twilio-CallSid", "C" * 500))) == {}


def test_headers_left_in_the_to_uri_are_read() -> None:
    headers = sip(("To", "<sip:proj_abc@host?x_twilio_callsid=CA1&X-Token=a%20b>"))
    assert carrier_ids(headers)["twilio_call_sid"] == "CA1"
    assert headers.get("x-token") == "a b"


def test_the_to_uri_cannot_forge_a_real_header() -> None:
    headers = sip(
        ("To", "<sip:proj_abc@host?P-Asserted-Identity=%3Ctel:+15550199%3E&x-a=forged&f=x>"),
        ("X-A", "real"),
    )
    assert headers.get("P-Asserted-Identity") is None
    assert headers.get("From") is None
    assert headers.all("X-A") == ("real", "forged")


def test_the_verification_status_is_read() -> None:
    assert verstat(sip(("X-Twilio-VerStat", "TN-Validation-Passed-A"))) == "TN-Validation-Passed-A"
    tagged = ("P-Asserted-Identity", f"<tel:{NUMBER};verstat=TN-Validation-Failed>")
    assert verstat(sip(tagged)) == "TN-Validation-Failed"
    assert verstat(sip(("From", f"<sip:{NUMBER}@x>"))) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
NAMES = st.sampled_from(["From", "f", "To", "P-Asserted-Identity", "Remote-Party-ID", "Diversion"])
VALUES = st.text(st.sampled_from(list('<>"\\;:@?&=%+,() \r\n\x00sipte0123456789')), max_size=60)


@given(JSON, st.lists(st.fixed_dictionaries({"name": NAMES, "value": VALUES})))
def test_no_webhook_breaks_the_reading(raw: object, fields: list[dict[str, str]]) -> None:
    assert parse(raw) is not None
    headers = parse(fields)
    party = caller(headers)
    for text in (party.number, party.name, called(headers), verstat(headers)):
        assert text is None or (text and "\n" not in text and "\r" not in text)
    assert isinstance(carrier_ids(headers), dict)
