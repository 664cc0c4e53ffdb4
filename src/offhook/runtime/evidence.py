"""What a call's record says of consent and of directives: differences of two calls, as facts.

Pure: `at` turns a time of the call into the store's milliseconds, `rev` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from offhook.core.call import Call
from offhook.core.directives import Effect, Instruction, SayThis
from offhook.store.facts import ConsentFact

_ANEW = (Effect.KEPT, Effect.DONE, Effect.SAYING, Effect.REFUSED)


def consent_facts(
    before: Call, after: Call, at: Callable[[float], int], rev: Callable[[], int]
) -> Iterator[ConsentFact]:
    """The evidence that this step has added. Without terms there is nothing to be evidence of."""
    terms = after.consent.terms
    if terms is None or after.consent is before.consent:
        return
    known = len(before.consent.evidence)
    for n, each in enumerate(after.consent.evidence[known:], known):
        yield ConsentFact(
            call_id=after.id,
            rev=rev(),
            n=n,
            at=at(each.at),
            policy=terms.policy,
            language=terms.language,
            version=terms.version,
            text=terms.text,
            answer=each.answer,
        )


def standing(call: Call) -> str | None:
    """What the call as a whole has on record: `noticed`, `given`, ..."""
    return call.consent.standing


def falls_silent(before: Call, after: Call) -> bool:
    """Whether from this step on no words may be on record, those written down included."""
    return before.consent.keeping and not after.consent.keeping


def directed(before: Call, after: Call) -> Iterator[tuple[str, str]]:
    """What was told to the call, or came of it, by this step: kind of moment, and detail.

    Words that were to be said are in the transcript; the rest is only here.
    """
    if after.instructions is before.instructions:
        return
    for given in after.instructions:
        if given.n >= len(before.instructions) or before.instructions[given.n] is not given:
            yield f"command_{given.kind}", _detail(given, words=after.consent.keeping)


def _detail(given: Instruction, *, words: bool) -> str:
    told = f"by {given.by}: {given.effect}"
    if given.why:
        told += f", {given.why}"
    spoken = isinstance(given.directive, SayThis)
    if words and given.text and not spoken and given.effect in _ANEW:
        told += f" ({given.text})"
    return told
