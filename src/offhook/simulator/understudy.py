"""The understudy: plays the model by rules where a scenario does not script it.

It follows the tools' schemas, asks for what is missing, reads results aloud, hands over to a human
and says goodbye. It knows neither the network nor chance: the same words get the same answers.
"""

from __future__ import annotations

import json
import re
from typing import Any

from offhook.simulator import choosing, said
from offhook.simulator.aloud import Voice, voice_for
from offhook.simulator.script import Act, CallsTools, Replies
from offhook.simulator.wire import Json, item_text

_CONSENT = "record_consent"
_ENDS = ("end_call", "hang_up", "hangup", "end_the_call", "finish_call", "goodbye")
_HUMANS = ("handoff", "hand_off", "transfer", "human", "escalate", "agent")
_TELL = re.compile(r"\btell the caller (?:that )?([^.]+)", re.IGNORECASE)


class Understudy:
    """The model of one call."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._wanted: str | None = None
        """The tool whose arguments are being collected."""
        self._given: Json = {}
        self._asked: str | None = None
        """The parameter that was asked for last; `""` is the confirmation."""

    def act(self, session: Json, items: list[Json], caller_text: str) -> Act:
        """What the model does now."""
        voice = voice_for(session)
        tools = {tool["name"]: tool for tool in session["tools"] if tool.get("name")}
        outputs = [item for item in _outputs(items) if item["id"] not in self._read]
        self._read.update(item["id"] for item in outputs)
        results = voice.results([_parsed(item["output"]) for item in outputs])
        heard = _unanswered(items)
        if heard is None or heard["id"] in self._read:
            return Replies(results or (voice.still_there if items else voice.hello))
        self._read.add(heard["id"])
        if heard["role"] == "system":
            act = self._obeys(voice, tools, item_text(heard))
        else:
            text = caller_text.strip()
            act = self._decides(tools, items, text) or self._answers(voice, tools, text)
        return _after(results, act)

    def _obeys(self, voice: Voice, tools: dict[str, Json], text: str) -> Act:
        """An order in words of its own, such as what the caller typed on the keypad."""
        if (told := _TELL.search(text)) is not None:
            return Replies(f"{told[1][:1].upper()}{told[1][1:]}.")
        tool = choosing.pick(_own(tools), text)
        if tool is None:
            return Replies(voice.pardon)
        self._wanted, self._given, self._asked = tool["name"], {}, None
        return self._collects(voice, tool, text)

    def _decides(self, tools: dict[str, Json], items: list[Json], text: str) -> Act | None:
        """The caller says whether what is said may be written down."""
        if _CONSENT not in tools:
            return None
        if said.refuses_writing(text):
            return CallsTools((_CONSENT, {"answer": "no"}))
        last = next((item_text(i) for i in reversed(items) if i.get("role") == "assistant"), "")
        agrees = said.agrees(text) if said.asks_to_write(last) else None
        if agrees is None:
            return None
        return CallsTools((_CONSENT, {"answer": "yes" if agrees else "no"}))

    def _answers(self, voice: Voice, tools: dict[str, Json], text: str) -> Act:
        if not text:
            return Replies(voice.pardon)
        if said.wants_a_human(text):
            return self._hands_over(voice, tools, text)
        if said.says_goodbye(text):
            return self._ends(voice, tools, text)
        if self._wanted in tools and self._asked is not None:
            return self._goes_on(voice, tools, text)
        if said.greets(text):
            return Replies(voice.hello)
        tool = choosing.pick(_own(tools), text)
        if tool is None:
            return Replies(voice.welcome if said.thanks(text) else voice.lost(_own(tools)))
        self._wanted, self._given, self._asked = tool["name"], {}, None
        return self._collects(voice, tool, text)

    def _goes_on(self, voice: Voice, tools: dict[str, Json], text: str) -> Act:
        """The caller has answered a question of ours, or has changed the subject."""
        tool = tools[str(self._wanted)]
        if self._asked == "":
            agrees = said.agrees(text)
            if agrees is True:
                return self._calls(tool)
            if agrees is False:
                self._wanted = self._asked = None
                return Replies(voice.then_not)
            self._given |= {p.name: text for p in choosing.params(tool) if p.is_free}
            return Replies(voice.confirms(self._given))
        other = choosing.pick(_own(tools), text)
        if other is not None and other is not tool and said.agrees(text) is None:
            param = next((p for p in choosing.params(tool) if p.name == self._asked), None)
            if param is None or not choosing.is_about(param, text):
                self._wanted, self._given, self._asked = other["name"], {}, None
                return self._collects(voice, other, text)
        return self._collects(voice, tool, text)

    def _collects(self, voice: Voice, tool: Json, text: str) -> Act:
        """Take arguments from the words; call the tool, or ask for what is missing."""
        for param in choosing.params(tool):
            if param.name in self._given:
                continue
            value = choosing.argument(param, text, asked=param.name == self._asked)
            if value is not None:
                self._given[param.name] = value
        for param in choosing.params(tool):
            if param.required and param.name not in self._given:
                self._asked = param.name
                return Replies(voice.asks(param))
        if "confirm" in str(tool.get("description", "")).casefold():
            self._asked = ""
            return Replies(voice.confirms(self._given))
        return self._calls(tool)

    def _calls(self, tool: Json) -> Act:
        given, self._given = self._given, {}
        self._wanted = self._asked = None
        return CallsTools((tool["name"], given))

    def _hands_over(self, voice: Voice, tools: dict[str, Json], text: str) -> Act:
        tool = _named(tools, _HUMANS)
        return Replies(voice.nobody) if tool is None else self._at_once(tool, text)

    def _ends(self, voice: Voice, tools: dict[str, Json], text: str) -> Act:
        tool = _named(tools, _ENDS)
        return Replies(voice.goodbye) if tool is None else self._at_once(tool, text)

    def _at_once(self, tool: Json, text: str) -> Act:
        """Call a tool without a question: what it must know is in the words, or they will do."""
        self._given = {}
        for param in choosing.params(tool):
            value = choosing.argument(param, text, asked=param.required)
            if value is not None:
                self._given[param.name] = value
        return self._calls(tool)


def _outputs(items: list[Json]) -> list[Json]:
    """What the tools answered, in the order in which they were asked."""
    asked = [item["call_id"] for item in items if item["type"] == "function_call"]
    answers = [item for item in items if item["type"] == "function_call_output"]
    return sorted(answers, key=lambda item: asked.index(item["call_id"]))


def _unanswered(items: list[Json]) -> Json | None:
    """The newest words of the caller or the system, if the model has not reacted since."""
    for item in reversed(items):
        match item:
            case {"type": "function_call"} | {"role": "assistant"}:
                return None
            case {"type": "message"}:
                return item
    return None


def _after(results: str, act: Act) -> Act:
    """The same act, with the results of tools told first."""
    match act:
        case _ if not results:
            return act
        case Replies(text=text):
            return Replies(f"{results} {text}")
        case CallsTools(calls=calls):
            return CallsTools(*calls, preamble=results)
    return act


def _named(tools: dict[str, Json], names: tuple[str, ...]) -> Json | None:
    return next((t for part in names for name, t in tools.items() if part in name.casefold()), None)


def _own(tools: dict[str, Json]) -> list[Json]:
    """The tools that are about something, without those that end the conversation."""
    ending = [_named(tools, _ENDS), _named(tools, _HUMANS), tools.get(_CONSENT)]
    return [tool for tool in tools.values() if tool not in ending]


def _parsed(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output
