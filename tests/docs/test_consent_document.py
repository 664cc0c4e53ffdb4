"""The document on consent: its example works, its tables name what there is."""

from __future__ import annotations

from typing import get_args

from offhook import Bot
from offhook.core.consent import Answer, Policy
from offhook.disclosure import PolicyName
from support.documents import ROOT, blocks, first_cells

TEXT = (ROOT / "docs" / "consent.md").read_text("utf-8")


def test_the_example_is_a_bot_that_may_be_refused() -> None:
    names: dict[str, object] = {}
    exec(compile(blocks(TEXT, "python")[0], "consent.md", "exec"), names)  # noqa: S102
    bot = names["bot"]
    assert isinstance(bot, Bot)
    terms = bot.terms("en")
    assert terms is not None
    assert (terms.policy, terms.key) == (Policy.OPT_OUT, "*")


def test_every_policy_is_explained() -> None:
    assert [row[0] for row in first_cells(TEXT, "Policy")] == list(get_args(PolicyName))


def test_every_kind_of_evidence_is_named() -> None:
    assert [answer for answer in Answer if f"`{answer}`" not in TEXT] == []
