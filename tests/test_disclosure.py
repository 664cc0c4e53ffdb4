"""What a bot tells its callers first: the standard texts, own ones, and what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import Bot, BotError, Disclosure
from offhook.config import load
from offhook.core.consent import Policy
from offhook.core.rules import Floor, Rules
from offhook.disclosure import STANDARD
from offhook.runtime.line import Line, make_line
from offhook.shop import make_bot

ENV = {"OPENAI_API_KEY": "sk-test", "OPENAI_WEBHOOK_SECRET": "whsec_dGVzdA=="}
AI = {"en": "You are talking to an AI assistant", "de": "Sie sprechen mit einem KI-Assistenten"}
WRITTEN = {"en": "written down", "de": "mitgeschrieben"}


def line(bot: Bot, **env: str) -> Line:
    return make_line(bot, load(None, {**ENV, **env}))


def rules(bot: Bot, **env: str) -> Rules:
    return line(bot, **env).rules


def bot(consent: Any = None, **more: Any) -> Bot:
    return Bot("Be brief.", consent=consent, **more)


@pytest.mark.parametrize("language", STANDARD)
@pytest.mark.parametrize("policy", Policy)
def test_every_standard_text_says_first_that_an_ai_answers(policy: Policy, language: str) -> None:
    terms = Disclosure(policy.value).terms(language)
    assert terms is not None
    assert terms.text.startswith(AI[language])
    assert (WRITTEN[language] in terms.text) is policy.asks
    assert "{" not in terms.text


def test_a_regional_language_has_the_text_of_its_language_and_an_unknown_one_english() -> None:
    notice = Disclosure()
    german, austrian, french = (notice.terms(tag) for tag in ("de", "de-AT", "fr"))
    assert german
    assert austrian
    assert french
    assert german.text == austrian.text
    assert french.text.startswith(AI["en"])


def test_the_version_is_the_one_given_or_changes_with_the_text() -> None:
    def version(**more: Any) -> str:
        terms = Disclosure(**more).terms("en")
        assert terms is not None
        return terms.version

    assert version(version="2026-01") == "2026-01"
    assert len(version()) == 12
    assert version() == version()
    assert version() != version(text="An AI answers.")


def test_own_texts_are_chosen_by_language() -> None:
    own = Disclosure(text={"en": "A machine.", "de": "Eine Maschine.", "de-AT": "A Maschin."})
    told = [terms.text for tag in ("en-GB", "de", "de-at") if (terms := own.terms(tag))]
    assert told == ["A machine.", "Eine Maschine.", "A Maschin."]


def test_a_language_without_a_text_is_an_error_when_the_bot_starts() -> None:
    with pytest.raises(BotError, match="no text in 'fr', only in en"):
        rules(bot(Disclosure(text={"en": "A machine."}), language="fr"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"policy": "maybe"}, "There are: notice, opt-out, opt-in, none"),
        ({"policy": "opt-out", "key": "12"}, "no key of a telephone"),
        ({"policy": "notice", "key": "*"}, "nothing that a key could refuse"),
        ({"text": " "}, "is empty"),
        ({"text": {}}, "is empty"),
    ],
)
def test_what_cannot_work_is_refused_at_once(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BotError, match=says):
        Disclosure(**given)


def test_the_terms_and_the_greeting_are_one_sentence_to_the_model() -> None:
    greeting = rules(bot("notice", greeting="Miller's Bicycles, hello!")).lines.greeting
    assert '"You are talking to an AI assistant. Miller\'s Bicycles, hello!"' in greeting


def test_without_a_greeting_of_its_own_a_bot_does_not_say_twice_that_it_is_one() -> None:
    assert rules(bot("notice")).lines.greeting.count("AI assistant") == 1


def test_a_bot_says_nothing_more_than_its_greeting_unless_told_to() -> None:
    plain = rules(bot(greeting="Hello."))
    assert plain.terms is None
    assert plain.greeting_floor is Floor.OPEN


def test_the_terms_come_before_all_else_so_the_floor_is_held_for_them() -> None:
    assert rules(bot("notice")).greeting_floor is Floor.HELD


def test_only_who_may_decide_is_given_the_tool_for_it() -> None:
    def tools(consent: Any) -> set[str]:
        return {t.name for t in line(bot(consent)).toolbox}

    assert tools("opt-out") - tools("notice") == {"record_consent"}
    assert tools("opt-in") - tools(None) == {"record_consent"}


def test_with_opt_in_the_session_begins_without_transcription() -> None:
    assert not line(bot("opt-in")).config.transcribe
    assert line(bot("opt-out")).config.transcribe


def test_the_setting_wins_over_the_bot_and_keeps_its_texts_for_the_same_policy() -> None:
    own = bot(Disclosure("notice", text="A machine."))
    assert rules(own, OFFHOOK_CONSENT="none").terms is None
    same, other = (rules(own, OFFHOOK_CONSENT=p).terms for p in ("notice", "opt-out"))
    assert same
    assert other
    assert same.text == "A machine."
    assert other.text.startswith(AI["en"])


def test_the_bundled_bot_discloses_unless_it_is_explicitly_switched_off() -> None:
    terms = rules(make_bot()).terms
    assert terms is not None
    assert terms.policy is Policy.NOTICE
    assert rules(make_bot(), OFFHOOK_CONSENT="none").terms is None


def test_a_key_is_named_in_the_standard_text() -> None:
    english, german = (Disclosure("opt-out", key="*").terms(tag) for tag in ("en", "de"))
    assert english
    assert german
    assert english.text.endswith("say so at any time or press star.")
    assert german.text.endswith("drücken Sie die Sterntaste.")
