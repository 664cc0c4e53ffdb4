"""Whatever the cloud sends is decoded, skipped or counted; nothing of it raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.realtime import frames
from offhook.realtime.frames import KNOWN, SKIPPED_TYPES, Unknown, Unreadable, decode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
types = st.sampled_from([k.__struct_config__.tag for k in KNOWN] + list(SKIPPED_TYPES))


def test_a_key_press_needs_no_event_id() -> None:
    raw = b'{"type":"input_audio_buffer.dtmf_event_received","event":"5","received_at":1}'
    assert decode(raw) == frames.Dtmf("5")


def test_the_type_need_not_come_first() -> None:
    raw = b'{"event_id":"e","item_id":"i","type":"input_audio_buffer.speech_started"}'
    assert decode(raw) == frames.SpeechStarted("i")


@pytest.mark.parametrize("kind", SKIPPED_TYPES)
def test_what_a_control_plane_does_not_need_is_skipped(kind: str) -> None:
    assert decode(json.dumps({"type": kind, "delta": "x" * 1000})) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b"{}", b'{"type":7}', b"\xff\xfe"])
def test_what_is_no_event_at_all_is_unreadable(raw: bytes) -> None:
    assert isinstance(decode(raw), Unreadable | Unknown)


def test_nulls_are_taken_where_the_clouds_put_them() -> None:
    nothing = {"output": None, "usage": None, "metadata": None, "status_details": None}
    response = {"id": "r", "status": "cancelled", **nothing}
    raw = json.dumps({"type": "response.done", "response": response})
    frame = decode(raw)
    assert isinstance(frame, frames.ResponseDone)
    assert frame.response.usage is None


@given(
    types,
    st.dictionaries(st.sampled_from(["response", "item", "error", "item_id", "x"]), json_values),
)
def test_a_known_type_with_any_content_never_raises(kind: str, fields: dict[str, Any]) -> None:
    decode(json.dumps({**fields, "type": kind}))


@given(st.binary(max_size=200))
def test_any_bytes_never_raise(raw: bytes) -> None:
    decode(raw)
