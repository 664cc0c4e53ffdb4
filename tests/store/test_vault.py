"""Numbers are sealed, hashed and found again, whichever of our keys wrote them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import UserError
from offhook.store.vault import Vault, mask, new_key

OLD, NEW = new_key(), new_key()
NUMBER = "+493023125001"
CANARY = "23125001"

texts = st.one_of(
    st.from_regex(r"\+[0-9]{3,15}", fullmatch=True),
    st.text(),
    st.sampled_from(["enc:", "txt:", "enc:00000000:AAAA", "txt:enc:x"]),
)


@given(texts)
def test_what_is_sealed_can_be_revealed(number: str) -> None:
    assert Vault(OLD).unseal(Vault(OLD).seal(number)) == number


@given(texts)
def test_without_a_key_it_comes_back_the_same(number: str) -> None:
    assert Vault(None).unseal(Vault(None).seal(number)) == number


@given(texts)
def test_a_new_key_in_front_reads_what_the_old_one_wrote(number: str) -> None:
    both = Vault(f"{NEW}, {OLD}")
    stored = Vault(OLD).seal(number)
    assert both.unseal(stored) == number
    assert both.unseal(both.seal(number)) == number
    assert both.stale(stored)
    assert not both.stale(both.seal(number))


@given(texts)
def test_a_number_in_the_clear_is_read_and_stale_once_there_is_a_key(number: str) -> None:
    stored = Vault(None).seal(number)
    assert Vault(NEW).unseal(stored) == number
    assert Vault(NEW).stale(stored)
    assert not Vault(None).stale(stored)


def test_the_first_key_writes() -> None:
    both = Vault(f"{NEW},{OLD}")
    assert Vault(NEW).unseal(both.seal(NUMBER)) == NUMBER
    assert Vault(OLD).unseal(both.seal(NUMBER)) is None
    assert both.hash(NUMBER) == Vault(NEW).hash(NUMBER)


def test_nothing_of_the_number_shows_in_what_is_stored() -> None:
    vault = Vault(OLD)
    assert CANARY not in vault.seal(NUMBER)
    assert vault.seal(NUMBER) != vault.seal(NUMBER)


@pytest.mark.parametrize("spelled", ["+49 30 23125 001", "0049 30 23125001", "+49 (0)30/23125001"])
def test_a_hash_is_the_same_however_the_number_is_written(spelled: str) -> None:
    for vault in (Vault(OLD), Vault(None)):
        assert vault.hash(spelled) == vault.hash(NUMBER)


def test_a_hash_needs_its_key() -> None:
    hashes = {Vault(key).hash(NUMBER) for key in (OLD, NEW, None)}
    assert len(hashes) == 3
    assert all(len(each) == 64 for each in hashes)
    assert Vault(None).hash(NUMBER) == hashlib.sha256(NUMBER.encode()).hexdigest()


def test_a_number_is_looked_for_under_every_key_and_none() -> None:
    looked_for = Vault(f"{NEW},{OLD}").hashes(NUMBER)
    assert set(looked_for) == {Vault(key).hash(NUMBER) for key in (NEW, OLD, None)}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: stored[:-6] + ("AAAAAA" if stored[-6:] != "AAAAAA" else "BBBBBB"),
        lambda stored: stored.replace(stored.split(":")[1], "00000000"),
        lambda stored: stored[:20],
        lambda stored: "enc:",
        lambda stored: stored + "ü",
    ],
)
def test_what_was_tampered_with_is_not_revealed(spoil: object) -> None:
    assert callable(spoil)
    assert Vault(OLD).unseal(spoil(Vault(OLD).seal(NUMBER))) is None


@pytest.mark.parametrize(
    "bad",
    ["short", "x" * 44, f"{OLD},{OLD}", f"{OLD},nonsense"],
    ids=["too short", "not base64", "twice", "one of two"],
)
def test_a_bad_key_is_refused_without_showing_it(bad: str) -> None:
    with pytest.raises(UserError, match=r"OFFHOOK_RECORDS_KEY (is not|names)") as refused:
        Vault(bad)
    assert bad not in str(refused.value)
    assert OLD not in str(refused.value)


@pytest.mark.parametrize("nothing", [None, "", " , "])
def test_no_key_is_no_lock(nothing: str | None) -> None:
    assert not Vault(nothing).locked
    assert Vault(OLD).locked


def test_the_mask_is_the_one_of_all_outputs() -> None:
    assert mask(NUMBER) == "+49 30 *****001"
    assert mask(None) == "anonymous"
