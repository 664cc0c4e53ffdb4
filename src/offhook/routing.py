"""`offhook route`: what would happen to a call, and why, without one."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from offhook import admission as rules
from offhook.admission import Load, Outcome
from offhook.admission.rates import HOUR
from offhook.bot import Bot
from offhook.config import Settings
from offhook.core.end import Forward, Refused, Verdict
from offhook.core.party import Party
from offhook.errors import UserError
from offhook.observe.metrics import Metrics
from offhook.runtime.admission import Admission, Ring
from offhook.runtime.directory import Directory
from offhook.runtime.line import Line
from offhook.runtime.outage import make_outage
from offhook.runtime.planning import Planner
from offhook.runtime.quotas import Quotas
from offhook.store.census import frequent_callers, take_census
from offhook.store.database import Database
from offhook.store.spending import spent
from offhook.store.switches import read_switch
from offhook.store.vault import Vault
from offhook.telephony.numbers import is_number, normalise

WITHHELD = "anonymous"
_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


class Asked(Struct, frozen=True):
    """One rule: what it says, which is `ok` or its reason; code and words where it has any."""

    rule: str
    says: str
    decides: bool = False
    code: int | None = None
    why: str | None = None


class Route(Struct, frozen=True, kw_only=True):
    """The way of a call. `outcome` is accept, reject or forward; `code` is the SIP status.

    `records` tells where counts came from: `read`, `none` (there are no records) or `away`.
    """

    called: str | None
    caller: str | None
    at: str
    outcome: str
    code: int | None = None
    reason: str | None = None
    to: str | None = None
    line: str | None = None
    bot: str | None = None
    voice: str | None = None
    language: str | None = None
    targets: dict[str, str] = {}
    rules: list[Asked] = []
    records: str = "none"


async def route(
    settings: Settings, bot: Bot, called: str, caller: str, *, at: str | None = None
) -> Route:
    """What would happen to a call of this number to that one. Raises `UserError`."""
    planned = Planner(bot, settings).read()
    directory = Directory(planned.plan, planned.lines)
    region = settings.phone.default_region
    number = None if caller == WITHHELD else normalise(caller, region)
    dialled = normalise(called, region)
    if not is_number(dialled):
        raise UserError(f"{called!r} is no number to dial; write one such as +493023125000")
    line = directory.find(dialled)
    when = moment(at, _zone(settings, line))
    metrics = Metrics()
    quotas = Quotas(settings, metrics)
    quotas.of_lines(planned.plan)
    asked = Admission(
        settings,
        directory,
        make_outage(settings, metrics),
        quotas,
        hashed=_vault(settings).hash,
        today=when.timestamp,
    )
    records = await _look(asked, settings, number)
    seen = asked.seen(Ring("", Party(number), dialled, line))
    most = settings.replicas.max_calls
    load = Load(0, most, asked.census.live, asked.census.room or most)
    found = rules.explain(replace(seen, load=load))
    return _told(found, line, dialled, number, when, records)


def moment(text: str | None, zone: str) -> datetime:
    """The moment that is meant: now, or a time of that zone. Raises `UserError`."""
    if text is None:
        return datetime.now(ZoneInfo(zone))
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=ZoneInfo(zone))
        except ValueError:
            continue
    raise UserError(f'--at {text!r} is no time; write one such as "2026-12-24 19:00"')


def _zone(settings: Settings, line: Line | None) -> str:
    hours = line.plan.hours if line is not None else None
    return settings.costs.timezone if hours is None else hours.zone


def _vault(settings: Settings) -> Vault:
    key = settings.privacy.records_key
    return Vault(key.get_secret_value() if key else None)


async def _look(asked: Admission, settings: Settings, number: str | None) -> str:
    """Bring in what the records tell, if there are any. Nothing is made or changed."""
    url = settings.records.database_url
    if url is None:
        return "none"
    database = Database(url.get_secret_value())
    if not _exists(database):
        return "none"
    try:
        asked.outage.switch = await read_switch(database)
        asked.census = await take_census(database, "")
        if number is not None:
            who, since = _vault(settings).hash(number), round((time.time() - HOUR) * 1000)
            asked.frequent = await frequent_callers(database, since, 1, who)
        if asked.quotas:
            now = round(time.time() * 1000)
            begin, end = asked.quotas.day()
            used = await spent(database, round(begin * 1000), round(end * 1000), now)
            asked.quotas.recorded(used, begin)
    except (SQLAlchemyError, OSError):
        return "away"
    finally:
        await database.close()
    return "read"


def _exists(database: Database) -> bool:
    return database.dialect != "sqlite" or Path(database.url.database or "").is_file()


def _told(
    found: tuple[Outcome, ...],
    line: Line | None,
    called: str,
    caller: str | None,
    when: datetime,
    records: str,
) -> Route:
    first = next((o for o in found if o.verdict is not None), None)
    decided = first.verdict if first else None
    return Route(
        called=called,
        caller=caller,
        at=when.isoformat(timespec="minutes"),
        outcome=_outcome(decided),
        code=decided.code if isinstance(decided, Refused) else None,
        reason=decided.reason if decided else None,
        to=decided.target if isinstance(decided, Forward) else None,
        line=line.plan.name if line else None,
        bot=line.bot.name if line else None,
        voice=str(line.config.voice) if line else None,
        language=line.language if line else None,
        targets={name: t.uri for name, t in line.bot.targets.items()} if line else {},
        rules=[_asked(each, each is first) for each in found],
        records=records,
    )


def _outcome(verdict: Verdict | None) -> str:
    match verdict:
        case None:
            return "accept"
        case Forward():
            return "forward"
        case Refused():
            return "reject"


def _asked(each: Outcome, decides: bool) -> Asked:
    verdict = each.verdict
    if verdict is None:
        return Asked(each.rule, "ok")
    code = verdict.code if isinstance(verdict, Refused) else None
    return Asked(each.rule, str(verdict.reason), decides, code, verdict.why)


def as_json(told: Route) -> str:
    """One JSON object, with all there is."""
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def as_text(told: Route) -> str:
    """The same for people."""
    rows = [f"{told.caller or 'a withheld number'} calls {told.called} at {told.at}", ""]
    for each in told.rules:
        mark = ">" if each.decides else " "
        code = f" {each.code}" if each.code else ""
        why = f": {each.why}" if each.why else ""
        rows.append(f"{mark} {each.rule:<10} {each.says}{code}{why}")
    rows.append("")
    if told.line is not None:
        rows.append(f"line       {told.line}")
        rows.append(f"bot        {told.bot}, voice {told.voice}, language {told.language}")
        named = (f"{name} ({uri})" for name, uri in told.targets.items())
        rows.append(f"targets    {', '.join(named) or 'none'}")
    rows.append(f"records    {_RECORDS[told.records]}")
    rows.append(f"outcome    {_IN_WORDS[told.outcome].format(told=told)}")
    return "\n".join(rows)


_RECORDS = {
    "read": "read; what a process counts by itself (an automatic outage) is not in them",
    "none": "none, so nothing is known of live calls, frequent callers and spending",
    "away": "the database is away, so nothing is known of live calls and spending",
}
_IN_WORDS = {
    "accept": "accepted",
    "reject": "rejected with {told.code} ({told.reason})",
    "forward": "accepted and transferred to {told.to} at once ({told.reason})",
}
