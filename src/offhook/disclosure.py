"""What a bot tells its callers before all else: that an AI answers, and what becomes of words.

Whoever talks to an AI must be told so, clearly and at the latest at the first contact (Regulation
(EU) 2024/1689, article 50 (1) and (5)). The standard texts say that, and where the caller has a
choice, that the conversation is written down and how to refuse or agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from offhook.core.consent import Policy, Terms
from offhook.errors import BotError

PolicyName: TypeAlias = Literal["notice", "opt-out", "opt-in", "none"]

KEYS = "0123456789*#ABCD"
STANDARD: dict[str, dict[Policy, str]] = {
    "en": {
        Policy.NOTICE: "You are talking to an AI assistant.",
        Policy.OPT_OUT: (
            "You are talking to an AI assistant, and this conversation is written down. "
            "If you do not want that, say so at any time{key}."
        ),
        Policy.OPT_IN: (
            "You are talking to an AI assistant. "
            "May this conversation be written down? Please say yes or no."
        ),
    },
    "de": {
        Policy.NOTICE: "Sie sprechen mit einem KI-Assistenten.",
        Policy.OPT_OUT: (
            "Sie sprechen mit einem KI-Assistenten, und dieses Gespräch wird mitgeschrieben. "
            "Wenn Sie das nicht möchten, sagen Sie es jederzeit{key}."
        ),
        Policy.OPT_IN: (
            "Sie sprechen mit einem KI-Assistenten. "
            "Darf dieses Gespräch mitgeschrieben werden? Bitte sagen Sie Ja oder Nein."
        ),
    },
}
_OR_PRESS = {"en": " or press {key}", "de": " oder drücken Sie die {key}"}
_SPOKEN = {"en": {"*": "star", "#": "hash"}, "de": {"*": "Sterntaste", "#": "Rautetaste"}}


class Disclosure:
    """What callers are told, and whether they decide that what is said is written down.

    `policy` is `notice`, `opt-out`, `opt-in` or `none`. `text` are the exact words, by language
    tag, or one text for all languages; without it the standard text in English or German is
    spoken. `version` names the text in the evidence; without it, the first 12 hex digits of the
    text's SHA-256 do. `key` is a key that refuses, such as `*`.

    Raises `BotError` for what cannot work.
    """

    def __init__(
        self,
        policy: PolicyName = "notice",
        *,
        text: str | Mapping[str, str] | None = None,
        version: str | None = None,
        key: str | None = None,
    ) -> None:
        if policy not in get_args(PolicyName):
            known = ", ".join(get_args(PolicyName))
            raise BotError(f"There is no consent policy {policy!r}. There are: {known}.")
        if key is not None and (len(key) != 1 or key not in KEYS):
            raise BotError(f"{key!r} is no key of a telephone; choose one of {KEYS}.")
        if key is not None and policy not in (Policy.OPT_OUT, Policy.OPT_IN):
            raise BotError(f"With the policy {policy} there is nothing that a key could refuse.")
        texts = {"": text} if isinstance(text, str) else dict(text or {})
        if text is not None and not all(t.strip() for t in texts.values() or [""]):
            raise BotError("A text of a disclosure is empty: say what callers are to hear.")
        self.policy = policy
        self.version = version
        self.key = key
        self._texts = {tag.lower(): t.strip() for tag, t in texts.items()}

    @property
    def asks(self) -> bool:
        """Whether the caller has something to decide."""
        return self.policy in (Policy.OPT_OUT, Policy.OPT_IN)

    def terms(self, language: str) -> Terms | None:
        """What is said in a language such as `de-AT`; `None` with the policy `none`.

        Raises `BotError` if there are texts, but none that fits.
        """
        if self.policy == "none":
            return None
        policy = Policy(self.policy)
        text = self._own(language) or _standard(policy, language, self.key)
        version = self.version or hashlib.sha256(text.encode()).hexdigest()[:12]
        return Terms(policy=policy, text=text, version=version, language=language, key=self.key)

    def _own(self, language: str) -> str | None:
        tag = language.lower()
        for fits in (tag, tag.split("-")[0], ""):
            if fits in self._texts:
                return self._texts[fits]
        if self._texts:
            known = ", ".join(self._texts)
            raise BotError(
                f"The disclosure has no text in {language!r}, only in {known}. Add one: "
                f'Disclosure(..., text={{"{language}": "..."}}).'
            )
        return None


def _standard(policy: Policy, language: str, key: str | None) -> str:
    tag = language.lower().split("-")[0]
    tag = tag if tag in STANDARD else "en"
    pressed = _OR_PRESS[tag].format(key=_SPOKEN[tag].get(key, key)) if key is not None else ""
    return STANDARD[tag][policy].format(key=pressed)
