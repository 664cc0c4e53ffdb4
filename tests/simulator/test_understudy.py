"""The understudy follows the tools' schemas: in text, without a network, the same each time."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from offhook.shop import make_bot
from offhook.simulator import CallsTools, Replies
from offhook.simulator.script import Act
from offhook.simulator.understudy import Understudy

TARGET = "sip:support@pbx.example.com"


class Talk:
    """A conversation in text with the understudy."""

    def __init__(self, tools: Any, language: str = "en") -> None:
        self.session = {
            "tools": list(tools),
            "audio": {"input": {"transcription": {"language": language}}},
        }
        self.items: list[dict[str, Any]] = []
        self.understudy = Understudy()
        self._numbers = count()

    def _add(self, **item: Any) -> None:
        self.items.append({"id": f"item_{next(self._numbers)}", **item})

    def _act(self, text: str = "") -> Act:
        act = self.understudy.act(self.session, list(self.items), text)
        match act:
            case Replies(text=said):
                self._add(type="message", role="assistant", content=[{"transcript": said}])
            case CallsTools(calls=calls):
                for name, _ in calls:
                    self._add(type="function_call", name=name, call_id=f"call_{name}")
        return act

    def says(self, text: str) -> Act:
        self._add(type="message", role="user", content=[])
        return self._act(text)

    def told(self, text: str) -> Act:
        self._add(type="message", role="system", content=[{"text": text}])
        return self._act()

    def answers(self, **outputs: Any) -> str:
        for name, output in outputs.items():
            text = output if isinstance(output, str) else json.dumps(output)
            self._add(type="function_call_output", call_id=f"call_{name}", output=text)
        return spoken(self._act())


def spoken(act: Act) -> str:
    assert isinstance(act, Replies), act
    return act.text


def shop(language: str = "en") -> Talk:
    bot = make_bot(language, Path("unused.sqlite3")).with_target("default", TARGET)
    return Talk(bot.toolbox().definitions, language)


@pytest.mark.parametrize(
    ("language", "said", "name", "arguments"),
    [
        ("en", "Where is my order ACME 12345?", "lookup_order", {"order_number": "ACME 12345"}),
        ("en", "wheres acme-12345", "lookup_order", {"order_number": "12345"}),
        ("en", "Is the Kettle Glass in stock?", "check_inventory", {"product": "Kettle Glass"}),
        (
            "en",
            "Do you have a toaster in Berlin?",
            "check_inventory",
            {"product": "toaster", "store": "Berlin"},
        ),
        (
            "en",
            "I am looking for a lamp under 50 euros.",
            "search_products",
            {"query": "lamp", "max_price": 50.0},
        ),
        ("en", "Where is your shop in Hamburg?", "find_store_location",
         {"city_or_postcode": "Hamburg"}),
        ("en", "When are you open on Saturday?", "check_company_hours", {"day": "Saturday"}),
        ("de", "Wo ist meine Bestellung ACME 12345?", "lookup_order",
         {"order_number": "ACME 12345"}),
        ("de", "Haben Sie den Wasserkocher Glas auf Lager?", "check_inventory",
         {"product": "Wasserkocher Glas"}),
        ("de", "Ich suche eine Lampe unter 50 Euro.", "search_products",
         {"query": "Lampe", "max_price": 50.0}),
        ("de", "Wann haben Sie am Samstag geöffnet?", "check_company_hours", {"day": "Samstag"}),
        ("en", "Could I speak to a human?", "handoff_human",
         {"target": "default", "reason": "Could I speak to a human"}),
        ("de", "Einen Mitarbeiter bitte.", "handoff_human",
         {"target": "default", "reason": "Einen Mitarbeiter bitte"}),
        ("en", "No thanks, that's all.", "end_call", {"reason": "No thanks, that's all"}),
        ("de", "Auf Wiederhören!", "end_call", {"reason": "Auf Wiederhören!"}),
    ],
)  # fmt: skip
def test_one_sentence_is_enough_for_a_tool(
    language: str, said: str, name: str, arguments: dict[str, Any]
) -> None:
    act = shop(language).says(said)
    assert isinstance(act, CallsTools), act
    [(called, given)] = act.calls
    assert called == name
    assert given == arguments | {k: given[k] for k in given if k == "reason"}  # type: ignore[index]


def test_what_is_missing_is_asked_for() -> None:
    talk = shop()
    assert spoken(talk.says("Where is my parcel?")) == "Could you tell me the order number, please?"
    assert "order number" in spoken(talk.says("What?"))
    assert talk.says("It is ACME one two three four five.") == CallsTools(
        ("lookup_order", {"order_number": "one two three four five"})
    )


def test_a_booking_is_collected_said_back_and_confirmed() -> None:
    talk = shop()
    assert "day and time" in spoken(talk.says("Please call me back."))
    assert "topic" in spoken(talk.says("Tomorrow at 3 pm."))
    assert "Is that right?" in spoken(talk.says("My toaster."))
    assert talk.says("Yes.") == CallsTools(
        ("schedule_callback", {"when": "Tomorrow at 3 pm", "topic": "My toaster"})
    )


def test_what_is_not_confirmed_is_not_done() -> None:
    talk = shop()
    talk.says("Please call me back tomorrow at 3 pm about my toaster.")
    assert "leave it" in spoken(talk.says("No."))
    assert "else" in spoken(talk.says("Thanks"))


def test_the_caller_may_change_the_subject() -> None:
    talk = shop()
    talk.says("Where is my parcel?")
    act = talk.says("Is the Kettle Glass in stock?")
    assert act == CallsTools(("check_inventory", {"product": "Kettle Glass"}))


def test_results_are_read_aloud_in_the_order_of_the_calls() -> None:
    talk = shop()
    talk.says("Where is my order ACME 12345?")
    talk._add(type="function_call", name="check_inventory", call_id="call_check_inventory")
    told = talk.answers(
        check_inventory={"result": "stock", "product": {"name": "Kettle", "price": "5 EUR"}},
        lookup_order={"result": "order", "status": "out_for_delivery", "items": []},
    )
    assert told == ("Status: out for delivery. Product: Kettle (5 EUR). Is there anything else?")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ({"error": "failed", "hint": "Tell the caller."}, "I am sorry, that did not work."),
        ({"result": "not_found", "hint": "Ask."}, "I could not find that."),
        (
            {"result": "not_found", "did_you_mean": ["A-1", "A-2"]},
            "I could not find that. Did you mean A-1; A-2?",
        ),
        ({"open_now": False, "hours": "9 to 5"}, "Open now: no, hours: 9 to 5."),
        ("It ships today", "It ships today."),
        ([1, 2], "1; 2."),
        ("", "."),
    ],
)
def test_each_kind_of_answer_has_words(output: Any, told: str) -> None:
    talk = shop()
    talk.says("Where is my order ACME 12345?")
    assert talk.answers(lookup_order=output).startswith(told)


def test_an_order_without_quoted_words_is_followed() -> None:
    act = shop().told("The caller typed 12345 on the keypad. As an order number it is ACME-12345.")
    assert act == CallsTools(("lookup_order", {"order_number": "ACME-12345"}))


def test_what_is_to_be_told_is_told() -> None:
    act = shop().told("The caller typed a number. Tell the caller that order 7 is ready. Be brief.")
    assert spoken(act) == "Order 7 is ready."


def test_without_tools_it_is_polite() -> None:
    talk = Talk(())
    assert "did not get that" in spoken(talk.says("Where is my order?"))
    assert "cannot connect" in spoken(talk.says("A human, please."))
    assert "Goodbye" in spoken(talk.says("Bye."))


def test_any_schema_will_do() -> None:
    talk = Talk(
        [
            {
                "type": "function",
                "name": "book_table",
                "description": "Book a table.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "people": {"type": "integer"},
                        "room": {"type": "string", "enum": ["inside", "terrace"]},
                        "vegan": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                        "when": {"type": "string"},
                    },
                    "required": ["people", "when"],
                },
            }
        ]
    )
    assert "people" in spoken(talk.says("I want to book a table on the terrace tomorrow."))
    assert talk.says("4") == CallsTools(
        ("book_table", {"people": 4, "room": "terrace", "when": "tomorrow"})
    )


def test_the_same_words_get_the_same_answers() -> None:
    said = ["Hello", "Where is my parcel?", "Hm", "ACME 12345", "Bye"]
    one, other = shop(), shop()
    assert [one.says(text) for text in said] == [other.says(text) for text in said]
