"""Find e-mail addresses, written (`ann@example.com`) or spelled (`ann at example dot com`)."""

from __future__ import annotations

import re

from offhook.observe.written import Named

_WRITTEN = re.compile(
    r"(?<![\w.+%'-])(?P<local>\"[^\"\s]{1,64}\"|[\w.+%'-]++)@(?:[\w-]++\.)+[^\W\d_][\w-]+"
)
# A SIP address may carry a project, a Call-ID or a number, which is for others to judge.
_NO_MAILBOX = re.compile(
    r"proj_\w+|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|(?:%2[Bb])?[+.-]*(?:\d[.-]*){7,}"
)

# Searched in lower case; each begins with a plain letter, so that a search without a hit is cheap.
_AT = r"(?:at|ät|aet|klammeraffe|@)(?:\s*[)\]}]\s*|\s+)"
_DOT = r"(?:\.|\s\.\s|\s*[(\[]\s*(?:dot|punkt)\s*[)\]]\s*|\s+(?:dot|punkt|point)\s+)"
_JOIN = r"\s+(?:minus|dash|hyphen|bindestrich)\s+"
_LABEL = rf"[\w-]+(?:\s\w\b)*(?:{_JOIN}[\w-]+)*"
_TOP = (
    "(?:com|net|org|info|biz|edu|gov|mil|de|at|ch|eu|uk|ie|fr|it|es|pt|nl|be|lu|pl|cz|se|no|dk|"
    "fi|us|ca|au|nz|jp|in|io|ai|dev|app|me|tv|cc|co|cloud|online|tech|xyz|email|gmbh|berlin|"
    "example|test|invalid|local)"
)
_SPELLED = re.compile(rf"{_AT}(?:{_LABEL}{_DOT}){{1,4}}?{_TOP}(?:{_DOT}{_TOP})?\b")
_HAS_DOT = re.compile(rf"\.[a-z]|dot\b|punkt\b|point\b|\. {_TOP}\b")
_HAS_AT = re.compile(r"at\b|ät\b|aet\b|klammeraffe|@")
_OPENING = re.compile(r"(?:\s|[(\[{]\s*)$")

_WORD_BEFORE = re.compile(r"[\w.+%'-]+\s*$")
_JOINS = {"dot", "punkt", "point", "minus", "dash", "hyphen", "underscore", "unterstrich", "plus"}


def hide_emails(text: str, named: Named) -> str:
    """Replace every e-mail address (`email`)."""
    if "@" in text:
        text = _WRITTEN.sub(lambda found: _written(found, named), text)
    lower = text.lower()
    if _HAS_DOT.search(lower) and _HAS_AT.search(lower) and len(lower) == len(text):
        return _hide_spelled(text, lower, named)
    return text


def _written(found: re.Match[str], named: Named) -> str:
    if _NO_MAILBOX.fullmatch(found["local"]):
        return found[0]
    return named("email", found[0].lower())


def _hide_spelled(text: str, lower: str, named: Named) -> str:
    parts, done = [], 0
    for found in _SPELLED.finditer(lower):
        opening = _OPENING.search(lower, done, found.start())
        start = _local_start(lower[done : opening.start()]) + done if opening else found.start()
        if opening and start < opening.start():
            parts += [text[done:start], named("email", lower[start : found.end()])]
            done = found.end()
    return "".join(parts) + text[done:]


def _local_start(before: str) -> int:
    """Return where the name before the `at` begins: one word, or words joined or spelled out."""
    start, last = len(before), ""
    while word := _WORD_BEFORE.search(before, max(0, start - 80), start):
        text = word[0].strip()
        joined = text in _JOINS or last in _JOINS
        if last and not joined and not (len(text) == len(last) == 1):
            break
        start, last = word.start(), text
    return start
