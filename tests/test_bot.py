"""What a user's bot is refused for, as soon as it is made."""

from __future__ import annotations

import pytest

from offhook import Bot
from offhook.errors import TargetError


def test_all_targets_that_cannot_be_dialled_are_named_at_once() -> None:
    targets = {"desk": "tel:030", "ok": "tel:+493023125001", "pbx": "sip:a@pbx?Replaces=1"}
    with pytest.raises(TargetError) as caught:
        Bot("You answer the phone.", targets=targets)
    told = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in told] == [
        'transfer target "desk"',
        'transfer target "pbx"',
    ]
