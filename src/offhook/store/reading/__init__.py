"""Reading records: what the API, the command line and exports ask of the store.

Every function takes an open connection (`Database.read()`) and gives frozen values, never rows.
"""

from __future__ import annotations

from offhook.store.reading.calls import batches, call, numbers, page
from offhook.store.reading.costs import costs
from offhook.store.reading.cursors import CursorError
from offhook.store.reading.deliveries import deliveries
from offhook.store.reading.filters import EVERYTHING, Filter
from offhook.store.reading.latency import percentiles
from offhook.store.reading.parts import tool_calls, transcript
from offhook.store.reading.statistics import stats
from offhook.store.reading.timeline import timeline
from offhook.store.reading.transcripts import as_json, as_text, as_webvtt
from offhook.store.reading.values import (
    CallRecord,
    CallSummary,
    Cost,
    Count,
    Delivery,
    Entry,
    Page,
    Percentiles,
    Spoken,
    Stats,
    ToolCall,
    Transcript,
)

__all__ = [
    "EVERYTHING",
    "CallRecord",
    "CallSummary",
    "Cost",
    "Count",
    "CursorError",
    "Delivery",
    "Entry",
    "Filter",
    "Page",
    "Percentiles",
    "Spoken",
    "Stats",
    "ToolCall",
    "Transcript",
    "as_json",
    "as_text",
    "as_webvtt",
    "batches",
    "call",
    "costs",
    "deliveries",
    "numbers",
    "page",
    "percentiles",
    "stats",
    "timeline",
    "tool_calls",
    "transcript",
]
