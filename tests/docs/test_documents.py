"""All documents: links lead somewhere, what is made from the code is current, examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.documents import (
    CONTRIBUTING,
    MADE,
    README,
    ROOT,
    anchors,
    between,
    blocks,
    without_blocks,
)

DOCUMENTS = [
    README,
    CONTRIBUTING,
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FOLDERS = r"(?:src|tests|docs|examples|bench|requirements)"


def read(document: Path) -> str:
    return document.read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", without_blocks(read(document)))
    for target in targets:
        place, _, anchor = target.partition("#")
        if re.match(r"\w+:", place):
            continue
        file = (document.parent / place) if place else document
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(read(file)), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    for name in re.findall(rf"(?<![\w/.]){FOLDERS}/[\w./-]*[\w/]", read(document)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_goes_out_by_https_only(document: Path) -> None:
    outside = re.findall(r"http://[^\s)`\"]+", read(document))
    assert all(url.startswith("http://127.0.0.1") for url in outside)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_names_a_folder_of_somebodys_machine(document: Path) -> None:
    assert not re.search(r"(?<![\w.])/(home|root|Users|work)/", read(document))


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_from_the_code_is_current(name: str) -> None:
    document, make = MADE[name]
    assert between(read(document), name) == make(), "run tests/support/documents.py"


def test_the_test_that_contributors_are_shown_runs() -> None:
    (source,) = blocks(read(CONTRIBUTING), "python")
    names: dict[str, Any] = {}
    exec(compile(source, "CONTRIBUTING.md", "exec"), names)  # noqa: S102
    (shown,) = [each for name, each in names.items() if name.startswith("test_")]
    shown()
