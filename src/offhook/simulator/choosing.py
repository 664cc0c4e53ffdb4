"""Which tool a caller's words call for, and with which arguments: by words, against the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from offhook.simulator import said
from offhook.simulator.wire import Json

_WORD = re.compile(r"[^\W\d_]+")
_STOP_WORDS = """
    a an the is are am was be do does did can could would will may i me my you your it its we
    our of in on at to for from with and or not as if by this that these those there here what
    where which who how please want like tell need get have has one some any now just so oh ah
    um then he she they them caller call tool use said say says e g leave out ask first it's i'm
    i'd ich mein meine meinen sie ist sind der die das den dem ein eine einen einem und oder
    nicht bitte ihr ihre haben hat hätte gern gerne möchte mal es mir mich wo wie was wann zu
    zum zur für von im ob noch auch denn doch kann können sagen brauche
"""
_STOP = frozenset(_STOP_WORDS.split())
# What people say for what tools are named after; German where it is simple.
_MEANS = {
    word: concept
    for concept, words in {
        "order": "parcel package delivery shipment purchase bestellung auftrag paket lieferung "
        "sendung bestellnummer",
        "status": "arrive arrived coming track tracking stand kommt",
        "stock": "available availability left inventory vorrätig lager lagernd bestand verfügbar",
        "search": "find sell buy looking offer range suche suchen verkaufen kaufen angebot "
        "anbieten product products produkt produkte",
        "price": "cost costs expensive cheap euro euros kostet kosten preis preise teuer",
        "open": "opening close closes closed closing hours geöffnet offen öffnungszeiten "
        "schließt schließen zu auf",
        "store": "shop branch address location filiale laden geschäft adresse standort nearest "
        "nearby nächste",
        "callback": "callbacks ring rückruf zurückrufen zurück anrufen",
        "schedule": "book appointment reserve buchen termin vereinbaren",
        "cancel": "stornieren kündigen absagen",
    }.items()
    for word in words.split()
}
_LEADS = re.compile(
    r"^(?:\W|\b(?:sorry|hello|hi|hallo|well|just|and|und|so|ok|okay|also|yes|ja|excuse me|please|"
    r"stop|wait|then|whether|that|dann|"
    r"bitte|i would like|i'd like|i want|i need|i am|i'm|can you|could you|do you|have you|"
    r"what do you|was verkaufen sie|are there|"
    r"is there|is|are|tell me|check|if|whether|find|look for|looking for|search for|got|have|sell|"
    r"how many|how much|what about|give me|show me|any|some|a|an|the|of|for|"
    r"haben sie|gibt es|ich suche|ich möchte|ich brauche|ich hätte gern|verkaufen sie|ist|sind|"
    r"wie viele|was kostet|ein|eine|einen|der|die|das|den)\b)+",
    re.IGNORECASE,
)
_TAILS = re.compile(
    r"(?:\W|\b(?:in stock|available|left|please|cost|costs|today|now|do you have|there|"
    r"are|is|in the|at the|in your|bitte|vorrätig|auf lager|verfügbar|da|noch|"
    r"(?:in|near|at|in der)\s+[A-ZÄÖÜ][\wäöüß-]+|"
    r"(?:for )?(?:under|below|less than|at most|up to|unter|höchstens|bis zu)\s+\d+\w*"
    r"(?:\s*(?:euros?|eur|€))?)\b)+$",
    re.IGNORECASE,
)


_FREE = re.compile(r"reason|topic|subject|message|note|summary|question")
_ASKS_FOR_STOCK = re.compile(
    r"\b(?:do you have|have you got|how many|haben sie|gibt es|wie viele)\b", re.IGNORECASE
)
_ASKS_TO_BE_CALLED = re.compile(
    r"\b(?:call|ring|phone) (?:me|us)\b|\brufen sie (?:mich|uns)\b|\bcall-? ?back\b", re.IGNORECASE
)


class Param(Struct, frozen=True):
    """One parameter of a tool, as its schema tells."""

    name: str
    schema: Json
    required: bool

    @property
    def words(self) -> str:
        """The name as it is spoken."""
        return re.sub(r"[_-]+", " ", self.name)

    @property
    def kind(self) -> str:
        """The JSON type, of several the first that is not null."""
        options = [self.schema, *self.schema.get("anyOf", ())]
        kinds = (each.get("type") for each in options)
        found = (k[0] if isinstance(k, list) else k for k in kinds if k not in (None, "null"))
        return str(next(found, "string"))

    @property
    def is_free(self) -> bool:
        """Whether it takes whatever was said, such as a reason."""
        return _FREE.search(self.name) is not None

    @property
    def choices(self) -> list[str]:
        """The values that it may have, if they are few."""
        if "const" in self.schema:
            return [str(self.schema["const"])]
        return [str(value) for value in self.schema.get("enum", ())]


def params(tool: Json) -> list[Param]:
    """The parameters of a tool in order."""
    schema = tool.get("parameters") or {}
    required = schema.get("required", ())
    return [Param(n, p if isinstance(p, dict) else {}, n in required)
            for n, p in (schema.get("properties") or {}).items()]  # fmt: skip


def concepts(text: str) -> set[str]:
    """The words that matter, each as what it means and in its simplest form."""
    words = (_MEANS.get(word, word) for word in _WORD.findall(text.casefold()))
    return {_MEANS.get(_stem(word), _stem(word)) for word in words if word not in _STOP}


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def pick(tools: Iterable[Json], text: str) -> Json | None:
    """The tool that the words fit best; `None` where they fit none."""
    offered = list(tools)
    wanted = concepts(text)
    if _ASKS_TO_BE_CALLED.search(text):
        wanted = {"callback", "schedule"}
    for words in (wanted, {"stock"} if _ASKS_FOR_STOCK.search(text) else set()):
        scored = [(_score(tool, words, text), -n) for n, tool in enumerate(offered)]
        best = max(scored, default=(0.0, 0))
        if best[0] > 0:
            return offered[-best[1]]
    return None


def _score(tool: Json, wanted: set[str], text: str) -> float:
    name = concepts(str(tool["name"]).replace("_", " "))
    description = concepts(str(tool.get("description", "")))
    known = {p.name: concepts(f"{p.words} {p.schema.get('description', '')}") for p in params(tool)}
    score = 3.0 * len(wanted & name) + 2.0 * len(wanted & (description - name))
    score += 1.0 * len(wanted & set().union(*known.values(), set()))
    if score or not wanted - {"acme"}:
        has_code = any("number" in p.words and said.code(text) for p in params(tool) if p.required)
        score += 4.0 * has_code
    return score


def argument(param: Param, text: str, *, asked: bool) -> Any:
    """What the words say about a parameter, `None` for nothing.

    `asked` tells that the words answer a question about it, so that free text is taken as it is.
    """
    if param.choices:
        return _choice(param, text)
    match param.kind:
        case "boolean":
            return said.agrees(text)
        case "integer":
            found = said.number(text)
            return None if found is None else int(found)
        case "number":
            found = said.limit(text)
            return said.number(text) if found is None and (asked or param.required) else found
    return _text(param, text, asked=asked)


def is_about(param: Param, text: str) -> bool:
    """Whether the words hold what this parameter is for, as far as its name and type tell."""
    if param.choices or param.kind != "string":
        return argument(param, text, asked=True) is not None
    readers = [read for pattern, read in _READERS if pattern.search(param.name)]
    return any(read(text) is not None for read in readers[:1])


def _choice(param: Param, text: str) -> str | None:
    spoken = text.casefold()
    for choice in param.choices:
        if choice.casefold().replace("_", " ") in spoken:
            return choice
    return param.choices[0] if param.required else None


def _text(param: Param, text: str, *, asked: bool) -> str | None:
    """By the words of the parameter's name; whole text where the name says nothing."""
    for pattern, read in _READERS:
        if pattern.search(param.name):
            found = read(text)
            takes_all = asked and found is None and read not in (said.code, said.phone)
            return text.strip(" .?!") if takes_all else found
    if param.is_free:
        return text.strip(" .?!") if asked else said.topic(text)
    if asked:
        return subject(text) or text.strip(" .?!")
    return (subject(text) or None) if param.required else None


_READERS: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...] = (
    (re.compile(r"phone|mobile|telefon"), said.phone),
    (re.compile(r"number|reference|serial|(^|_)(id|code)($|_)"), said.code),
    (re.compile(r"when|time|moment|slot"), said.moment),
    (re.compile(r"day|date"), said.day),
    (re.compile(r"city|place|store|location|postcode|zip|town|branch"), said.place),
)


def subject(text: str) -> str:
    """What a question is about, without the words around it: `is the Kettle in stock?`"""
    before = None
    while before != text:
        before = text
        text = _TAILS.sub("", _LEADS.sub("", text.strip(" .,?!"))).strip(" .,?!")
    last = re.split(r"[:;]\s*(?:is|are|do you have|have you)?\s*", text)[-1]
    return last.strip() if len(last) > 2 else text
