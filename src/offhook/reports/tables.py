"""Records in a terminal: a list of calls, one call, numbers. What callers said is never markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from offhook.reports import times
from offhook.store.reading import CallRecord, CallSummary, Cost, Entry, Percentiles, Stats
from offhook.store.reading.timeline import merge
from offhook.store.reading.transcripts import name
from offhook.telephony.numbers import clean

WIDE = 130  # columns of a terminal in which a list shows all that it has
NARROW = 80  # columns in which an id has its 28 letters or so in one line, to be copied
LONGEST = 2000  # letters of one text


class _Column(Struct, frozen=True):
    """A column of a list: for a narrow terminal, too?"""

    head: str
    right: bool = False
    narrow: bool = True


_LIST = (
    _Column("Rang (UTC)"),
    _Column("Caller"),
    _Column("Line", narrow=False),
    _Column("Bot", narrow=False),
    _Column("Length", right=True, narrow=False),
    _Column("End"),
    _Column("Fault", narrow=False),
    _Column("Said", right=True, narrow=False),
    _Column("Tools", right=True, narrow=False),
    _Column("Cost", right=True, narrow=False),
    _Column("Call"),
)


def calls(
    found: Sequence[CallSummary], out: Console, revealed: Mapping[str, str] | None = None
) -> RenderableType:
    """The list, as wide as the terminal allows. An id is never cut."""
    if not found:
        return Text("No calls.")
    wide = out.width >= WIDE
    columns = [column for column in _LIST if wide or column.narrow]
    table = _table()
    for column in columns:
        folds = column.head == "End" or (column.head == "Call" and out.width < NARROW)
        table.add_column(
            column.head,
            justify="right" if column.right else "left",
            overflow="fold" if folds else "ellipsis",
            no_wrap=not folds,
            min_width=len(column.head),
        )
    for each in found:
        cells = zip(_LIST, _cells(each, revealed or {}), strict=True)
        table.add_row(*(cell for column, cell in cells if wide or column.narrow))
    return table


def _cells(each: CallSummary, revealed: Mapping[str, str]) -> tuple[Text, ...]:
    return tuple(
        map(
            cell,
            (
                times.minute(each.rang_at),
                revealed.get(each.call_id) or each.caller_masked or "-",
                each.line or "-",
                each.bot,
                times.length(each.length_ms),
                _end(each),
                each.fault or "-",
                str(each.utterances),
                str(each.tools),
                dollars(each.cost_usd),
                each.call_id,
            ),
        )
    )


def _end(each: CallSummary) -> str:
    if each.ended_at is None:
        return each.phase
    end = (each.reason or "ended").replace("_", " ")
    return f"{end} to {each.target}" if each.target and each.reason == "transferred" else end


def call(record: CallRecord, number: str | None = None) -> RenderableType:
    """One call: what is known of it, then all that happened, in one order."""
    facts = _table(show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for title, value in _facts(record, number):
        facts.add_row(title, cell(value))
    entries = merge(record.moments, record.transcript, record.tool_calls, record.transfers)
    happened = _table(show_header=False)
    happened.add_column(justify="right", no_wrap=True, style="dim")
    happened.add_column(no_wrap=True)
    happened.add_column(overflow="fold")
    for entry in entries:
        at = times.length(max(0, entry.at - record.call.rang_at))
        happened.add_row(at, *map(cell, _told(entry)))
    return Group(facts, Text(), happened) if entries else facts


def _facts(record: CallRecord, number: str | None) -> Iterator[tuple[str, str]]:
    call = record.call
    yield "Call", call.call_id
    yield "Rang", f"{times.minute(call.rang_at)} UTC"
    yield "Caller", " ".join(filter(None, (number or call.caller_masked, record.caller_name)))
    yield "Line", call.line or "-"
    yield "Bot", f"{call.bot}, {call.model} ({call.provider}), {call.language}"
    yield "End", f"{_end(call)}{f' (fault: {call.fault})' if call.fault else ''}"
    if call.detail:
        yield "Detail", call.detail
    yield "Length", times.length(call.length_ms)
    yield "Cost", dollars(call.cost_usd)
    known = sorted(turn.latency_ms for turn in record.turns if turn.latency_ms is not None)
    if known:
        turns = "1 turn" if len(known) == 1 else f"{len(known)} turns"
        yield "Latency", f"{known[(len(known) - 1) // 2]} ms (median of {turns})"
    if call.consent:
        yield "Consent", call.consent
    if call.keep:
        yield "Hold", "under a legal hold"
    if call.purged_at is not None:
        yield "Purged", f"{times.minute(call.purged_at)} UTC: personal data is gone"


def _told(entry: Entry) -> tuple[str, str]:
    """Who or what, and the words."""
    if said := entry.utterance:
        unheard = f" [not heard: {said.unheard}]" if said.unheard else ""
        return name(said.who), f"{said.heard or ''}{unheard}".strip() or "[no text]"
    if tool := entry.tool:
        took = "" if tool.took_ms is None else f" in {tool.took_ms} ms"
        answer = tool.output or tool.error
        result = f": {answer}" if answer else ""
        return "Tool", f"{tool.name} {tool.arguments or ''} {tool.outcome}{took}{result}"
    if tried := entry.transfer:
        why = f" ({tried.reason})" if tried.reason else ""
        return "Transfer", f"to {tried.target}{why}: {tried.outcome or 'under way'}"
    moment = entry.moment
    if moment is None:
        return "", ""
    return "", f"{moment.kind.replace('_', ' ')} {moment.detail or ''}".strip()


def numbers(found: Stats) -> RenderableType:
    """All calls in numbers."""
    table = _table(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right")
    for title, value in (
        ("Calls", f"{found.calls:,}"),
        ("Live now", f"{found.live:,}"),
        ("Answered", _part(found.answered, found.answered_share)),
        ("Transfers that worked", _part(found.transferred, found.transfer_success)),
        ("Ended by a fault", f"{found.cut_short:,}"),
        ("Average length", times.length(found.average_length_ms)),
        ("Longest", times.length(found.longest_ms)),
        ("Cost", dollars(found.cost_usd)),
    ):
        table.add_row(title, value)
    reasons = _table()
    reasons.add_column("End")
    reasons.add_column("Calls", justify="right")
    for count in found.reasons:
        reasons.add_row(cell((count.value or "none yet").replace("_", " ")), f"{count.calls:,}")
    return Group(table, Text(), reasons) if found.reasons else table


def groups(
    by: str | None, spent: Iterable[Cost], latencies: Iterable[Percentiles]
) -> RenderableType:
    """Cost and latency of each group: p50 and p95 of turns and of the first word."""
    spread = {(each.group, each.measure): each for each in latencies}
    table = _table()
    table.add_column((by or "all").capitalize(), overflow="fold", min_width=13)
    for head in ("Calls", "Cost", "Turn p50", "p95", "p99", "Word p50", "p95"):
        table.add_column(head, justify="right")
    for cost in spent:
        turn, word = spread.get((cost.group, "latency")), spread.get((cost.group, "first_word"))
        unpriced = "+" if cost.unpriced and cost.cost_usd is not None else ""
        table.add_row(
            cell(cost.group or ("all" if by is None else "unknown")),
            f"{cost.calls:,}",
            dollars(cost.cost_usd) + unpriced,
            *((_ms(turn.p50), _ms(turn.p95), _ms(turn.p99)) if turn else "---"),
            *((_ms(word.p50), _ms(word.p95)) if word else "--"),
        )
    return table


def cell(text: str) -> Text:
    """A cell in which nothing is markup, and no control character reaches the terminal."""
    return Text(clean(text, LONGEST))


def dollars(usd: float | None) -> str:
    """Money to read; a dash where no price is known."""
    return "-" if usd is None else f"${usd:,.2f}" if usd >= 1 else f"${usd:.4f}"


def _part(count: int, share: float | None) -> str:
    return f"{count:,}" if share is None else f"{count:,} ({share:.1%})"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms"


def _table(*, show_header: bool = True) -> Table:
    return Table(box=None, pad_edge=False, show_header=show_header)
