"""The documentation of the simulator has every switch, with its default and its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import Struct, structs

from offhook.simulator.invite import Trunk
from offhook.simulator.switches import SWITCHES, filled, meanings, table

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


@pytest.mark.parametrize("kind", SWITCHES)
def test_every_switch_says_what_it_does(kind: type[Struct]) -> None:
    fields = {field.name for field in structs.fields(kind)}
    assert set(meanings(kind)) == fields
    assert all(f"| `{name}` |" in table(kind) for name in fields)


def test_the_page_has_the_tables_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    renew = "python -m offhook.simulator.switches docs/simulator.md"
    assert page == filled(page), f"renew it: {renew}"
    assert all(table(kind) in page for kind in SWITCHES)


def test_a_page_without_a_place_for_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="Beliefs"):
        filled("nothing")


def test_the_page_names_every_trunk() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in Trunk.__args__)  # type: ignore[attr-defined]
