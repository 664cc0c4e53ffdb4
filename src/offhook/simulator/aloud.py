"""How the understudy puts things: its own sentences, and results of tools read aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from offhook.simulator.choosing import Param
from offhook.simulator.wire import Json

_MANY = 4
_GERMAN_WORDS = re.compile(r"\b(?:und|der|die|das|du|nicht|ein|eine)\b", re.IGNORECASE)
_ENGLISH_WORDS = re.compile(r"\b(?:and|the|you|not|a|an|of)\b", re.IGNORECASE)
_QUIET = frozenset({"result", "hint", "zone"})  # for the model to read, not for the caller


class Voice(Struct, frozen=True, kw_only=True):
    """The sentences of one language."""

    hello: str
    still_there: str
    pardon: str
    welcome: str
    nobody: str
    goodbye: str
    then_not: str
    i_can: str
    which: str
    right: str
    not_found: str
    did_you_mean: str
    failed: str
    noted: str
    anything_else: str
    nothing: str
    yes: str
    no: str
    names: Mapping[str, str] = {}
    """What some fields and parameters are called in this language."""

    def lost(self, tools: Iterable[Json]) -> str:
        """Not understood: say what can be done."""
        offers = [_headline(tool) for tool in tools]
        return f"{self.pardon} {self.i_can} {'; '.join(offers)}." if offers else self.pardon

    def asks(self, param: Param) -> str:
        """Ask for a missing argument."""
        return self.which.format(self._name(param.name))

    def confirms(self, given: Json) -> str:
        """Say back what was understood, and ask whether it is right."""
        told = ", ".join(f"{self._name(name)}: {self._value(v)}" for name, v in given.items())
        return f"{told}. {self.right}"

    def results(self, outputs: list[Any]) -> str:
        """What tools answered, as sentences; empty for no outputs."""
        told = [self.result(output) for output in outputs if not _is_told_otherwise(output)]
        asks = bool(told) and not told[-1].endswith("?")
        return " ".join([*told, self.anything_else] if asks else told)

    def result(self, output: Any) -> str:
        """What one tool answered, as a sentence."""
        match output:
            case {"error": _}:
                return self.failed
            case {"status": "noted"}:
                return self.noted
            case {"result": "not_found"}:
                near = output.get("did_you_mean")
                offer = f" {self.did_you_mean} {self._value(near)}?" if near else ""
                return f"{self.not_found}{offer}"
            case dict():
                return _sentence(self._fields(output))
        return _sentence(self._value(output))

    def _fields(self, fields: Json) -> str:
        told = [(self._name(name), self._value(v)) for name, v in fields.items()
                if name not in _QUIET and v not in (None, "", [], {})
                and (name, v) != ("more", 0)]  # fmt: skip
        return ", ".join(f"{name}: {value}" for name, value in told) or self.nothing

    def _value(self, value: Any) -> str:
        match value:
            case bool():
                return self.yes if value else self.no
            case list():
                more = [f"+{len(value) - _MANY}"] if len(value) > _MANY else []
                return "; ".join([*map(self._value, value[:_MANY]), *more]) or self.nothing
            case {"name": str(name), **rest}:
                return " ".join([name, *(f"({self._value(v)})" for v in rest.values())])
            case dict():
                return " ".join(self._value(each) for each in value.values())
            case None:
                return self.nothing
        return str(value).replace("_", " ")

    def _name(self, name: str) -> str:
        return self.names.get(name, re.sub(r"[_-]+", " ", name))


def _is_told_otherwise(output: Any) -> bool:
    """Whether it is about the call itself, of which the caller hears anyway."""
    match output:
        case {"status": str(), **rest}:
            return set(rest) <= {"target"}
    return False


def _headline(tool: Json) -> str:
    """What a tool is for, in its own first words."""
    text = str(tool.get("description") or tool["name"].replace("_", " "))
    first = re.split(r"[.:\n]", text, maxsplit=1)[0].strip()
    return f"{first[:1].lower()}{first[1:]}"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


ENGLISH = Voice(
    hello="Hello, how can I help you?",
    still_there="Are you still there?",
    pardon="I am sorry, I did not get that.",
    welcome="You are welcome. Is there anything else?",
    nobody="I am sorry, I cannot connect you with anybody.",
    goodbye="Thank you for calling. Goodbye!",
    then_not="All right, I will leave it. Is there anything else?",
    i_can="I can",
    which="Could you tell me the {}, please?",
    right="Is that right?",
    not_found="I could not find that.",
    did_you_mean="Did you mean",
    failed="I am sorry, that did not work. Is there another way that I can help?",
    noted="All right, that is noted.",
    anything_else="Is there anything else?",
    nothing="nothing",
    yes="yes",
    no="no",
    names={"when": "day and time", "query": "product", "city_or_postcode": "city or postcode"},
)

GERMAN = Voice(
    hello="Guten Tag, wie kann ich Ihnen helfen?",
    still_there="Sind Sie noch da?",
    pardon="Entschuldigung, das habe ich nicht verstanden.",
    welcome="Gern geschehen. Kann ich sonst noch etwas tun?",
    nobody="Es tut mir leid, ich kann Sie mit niemandem verbinden.",
    goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören!",
    then_not="Gut, dann lasse ich es. Kann ich sonst noch etwas tun?",
    i_can="Das kann ich:",
    which="Das brauche ich noch: {}. Sagen Sie es mir bitte?",
    right="Ist das richtig?",
    not_found="Das konnte ich nicht finden.",
    did_you_mean="Meinten Sie",
    failed="Das hat leider nicht geklappt. Kann ich Ihnen anders helfen?",
    noted="Gut, das ist notiert.",
    anything_else="Kann ich sonst noch etwas tun?",
    nothing="nichts",
    yes="ja",
    no="nein",
    names={
        "order_number": "Bestellnummer", "when": "Tag und Uhrzeit", "topic": "Worum es geht",
        "query": "Produkt", "product": "Produkt", "store": "Filiale", "place": "Ort",
        "city_or_postcode": "Ort oder Postleitzahl", "phone": "Telefonnummer", "items": "Artikel",
        "placed_on": "bestellt am", "expected_on": "erwartet am", "total": "Summe",
        "carrier": "Paketdienst", "others": "in anderen Filialen", "products": "Produkte",
        "street": "Straße", "postcode": "Postleitzahl", "city": "Stadt", "today": "heute",
        "open_now": "jetzt geöffnet", "hours": "Öffnungszeiten", "day": "Tag", "at": "am",
        "reference": "Kennzeichen", "say_reference": "Kennzeichen", "local_time": "Ortszeit",
    },
)  # fmt: skip


def voice_for(session: Json) -> Voice:
    """The sentences of the language that the session transcribes, else of its instructions."""
    transcription = session["audio"]["input"].get("transcription") or {}
    if language := str(transcription.get("language") or ""):
        return GERMAN if language.startswith("de") else ENGLISH
    prompt = str(session.get("instructions"))
    german, english = len(_GERMAN_WORDS.findall(prompt)), len(_ENGLISH_WORDS.findall(prompt))
    return GERMAN if german > english else ENGLISH
