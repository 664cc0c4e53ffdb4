"""What a caller is told about being on the line with an AI, and what the caller says to it.

    notice    told                                      what is said is written down
    opt-out   told, may refuse at any time              written down until refused
    opt-in    told and asked                            written down once agreed

A small machine: `Consent` goes from evidence to evidence, and `keeps` tells of each utterance
whether its words may be kept. A refusal takes back what was kept; a later yes counts from then.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

ALWAYS = float("-inf")


class Policy(StrEnum):
    """What the caller may decide."""

    NOTICE = "notice"
    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"

    @property
    def asks(self) -> bool:
        """Whether the caller has something to decide."""
        return self is not Policy.NOTICE


class Terms(Struct, frozen=True, gc=False, kw_only=True):
    """The words that open a call. `text` is spoken exactly so; `version` names that text.

    `key` is a key of the telephone that refuses, `None` without one.
    """

    policy: Policy
    text: str
    version: str
    language: str
    key: str | None = None


class Answer(StrEnum):
    """One piece of evidence."""

    NOTICED = "noticed"  # the text was spoken to its end
    UNHEARD = "unheard"  # it was not, or nobody can tell: the line broke, the model failed
    GIVEN = "given"
    REFUSED = "refused"


class Evidence(Struct, frozen=True, gc=False):
    """What came of the terms, and when, on the call's clock."""

    answer: Answer
    at: float


class Consent(Struct, frozen=True):
    """Where one call stands. Words spoken before `kept_from` are not kept, `None`: none are."""

    terms: Terms | None = None
    evidence: tuple[Evidence, ...] = ()
    kept_from: float | None = ALWAYS

    @property
    def keeping(self) -> bool:
        """Whether what is said now may be written down."""
        return self.kept_from is not None

    def keeps(self, at: float) -> bool:
        """Whether words of an utterance that began at this time may be kept."""
        return self.kept_from is not None and at >= self.kept_from

    @property
    def standing(self) -> Answer | None:
        """What counts: the last answer, else whether the terms were heard; `None`: not yet."""
        answered = [e.answer for e in self.evidence if e.answer in (Answer.GIVEN, Answer.REFUSED)]
        told = [e.answer for e in self.evidence]
        return next(reversed(answered or told), None)

    def told(self, now: float, *, heard: bool) -> Consent:
        """The terms were spoken, once, or could not be."""
        if self.terms is None or any(_is_about_telling(e) for e in self.evidence):
            return self
        return self._with(Answer.NOTICED if heard else Answer.UNHEARD, now)

    def answered(self, now: float, *, yes: bool) -> Consent:
        """The caller has decided. Deciding the same again changes nothing."""
        answer = Answer.GIVEN if yes else Answer.REFUSED
        if self.standing is answer:
            return self
        kept_from = (now if self.kept_from is None else self.kept_from) if yes else None
        return replace(self._with(answer, now), kept_from=kept_from)

    def _with(self, answer: Answer, now: float) -> Consent:
        return replace(self, evidence=(*self.evidence, Evidence(answer, now)))


def begin(terms: Terms | None) -> Consent:
    """The consent of a call that has just rung: with opt-in, silence is no yes."""
    asked_first = terms is not None and terms.policy is Policy.OPT_IN
    return Consent(terms=terms, kept_from=None if asked_first else ALWAYS)


def restored(terms: Terms | None, evidence: Iterable[Evidence]) -> Consent:
    """The consent of a call that another process has begun, from the evidence on record."""
    consent = begin(terms)
    for each in evidence:
        match each.answer:
            case Answer.NOTICED | Answer.UNHEARD:
                consent = consent.told(each.at, heard=each.answer is Answer.NOTICED)
            case Answer.GIVEN | Answer.REFUSED:
                consent = consent.answered(each.at, yes=each.answer is Answer.GIVEN)
    return consent


def _is_about_telling(evidence: Evidence) -> bool:
    return evidence.answer in (Answer.NOTICED, Answer.UNHEARD)
