"""The documentation of the simulator has every switch, with its default and its meaning."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec import Struct, structs

from offhook.simulator.invite import Trunk
from support.documents import SIMULATOR, between
from support.switches import SWITCHES, meanings


@pytest.mark.parametrize("kind", SWITCHES)
def test_every_switch_says_what_it_does(kind: type[Struct]) -> None:
    page = between(SIMULATOR.read_text(encoding="utf-8"), kind.__name__.lower())
    fields = [field.name for field in structs.fields(kind)]
    assert set(meanings(kind)) == set(fields)
    assert [row.split("`")[1] for row in page.splitlines()[2:]] == fields


def test_the_page_names_every_trunk() -> None:
    page = SIMULATOR.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in get_args(Trunk))
