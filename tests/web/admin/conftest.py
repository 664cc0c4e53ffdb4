"""A server that keeps records, for those who look into them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.admin import Office
from support.admin import office as opened


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A server with nothing in its records yet."""
    async with opened(tmp_path) as made:
        yield made
