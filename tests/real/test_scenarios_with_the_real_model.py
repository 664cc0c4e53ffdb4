"""`--real`: scenarios in text with the model of the settings, for which the simulator stands in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from offhook import Bot, Call, tool
from offhook.calling import play
from offhook.config import load
from offhook.core.usage import Tokens
from offhook.errors import UserError
from offhook.real.offer import Offer, accepted, bill
from offhook.real.session import MOST_RESPONSES
from offhook.real.stage import RealStage, settings
from offhook.rehearsal import TARGET, Played
from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    Replies,
    Script,
    Silent,
    Simulator,
    StopsShort,
)
from offhook.simulator.profile import ProfileName
from offhook.simulator.scenario import parse
from offhook.simulator.shelf import find
from offhook.suite import files, run

MODEL = "gpt-realtime-mini"
ASKS = 'title = "Asks"\ncaller = ["listens", { says = "Hello" }, "listens", "hangs up"]\n'


def cloud(profile: ProfileName = "openai", *model: Any, **more: Any) -> Simulator:
    if model:
        more["direct"] = Script(model=model)
    return Simulator(profile, speed=500.0, deployments=(MODEL,), **more)


def stage(at: Simulator, bot: Bot | None = None, env: Mapping[str, str] = {}) -> RealStage:
    own = {
        "OPENAI_API_KEY": at.api_key,
        "OPENAI_BASE": at.base_url,
        "OFFHOOK_PROVIDER": at.profile.name,
        "REALTIME_MODEL": MODEL,
        "SIP_TARGET_URI": TARGET,
    }
    return RealStage(load(None, {**own, **env}, serving=False), bot)


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, highlight=False), text


async def played(at: Simulator, name: str, bot: Bot | None = None) -> Played:
    async with at:
        return await stage(at, bot).play(find(name))


@pytest.mark.parametrize("profile", ["openai", "azure"])
@pytest.mark.parametrize("name", ["order-status", "transfer", "german", "callback", "tool-breaks"])
async def test_a_scenario_holds_in_text(profile: ProfileName, name: str) -> None:
    found = await played(cloud(profile), name)
    assert (found.untrue, found.error, found.skipped) == ([], "", ""), found.call.transcript()
    assert found.recorded_as in {"bot_hung_up", "transferred", "caller_hung_up"}


async def test_the_model_reads_what_it_reads_on_the_phone_but_for_the_voice() -> None:
    at = cloud()
    found = await played(at, "order-status")
    session = at.sessions[0].session
    assert session["output_modalities"] == ["text"]
    assert "ACME" in session["instructions"]
    assert {"lookup_order", "end_call", "handoff_human"} <= {t["name"] for t in session["tools"]}
    first = found.call.marks("client_event")[1].detail["body"]["item"]
    assert (first["role"], "AI assistant" in str(first)) == ("system", True)
    kinds = [m.detail["type"] for m in found.call.marks("client_event")]
    assert kinds[2:4] == ["response.create", "conversation.item.delete"]  # not obeyed again


async def test_a_transfer_is_decided_but_never_dialled() -> None:
    found = await played(cloud(), "transfer")
    (refer,) = found.call.marks("refer")
    assert refer.detail == {"target_uri": TARGET, "status": "not dialled"}
    assert all(TARGET not in str(m.detail) for m in found.call.marks("client_event"))


async def test_the_tools_of_the_bot_run_and_know_the_caller() -> None:
    numbers = []

    @tool
    async def who_calls(call: Call) -> str:
        """Tell who calls."""
        numbers.append(call.caller.number)
        return "Ann"

    bot = Bot("You tell callers who they are.", tools=[who_calls])
    at = cloud("openai", Replies("Hello!", ordered=True), CallsTools(("who_calls", {})),
               Replies("You are Ann."))  # fmt: skip
    text = f'{ASKS}from = "+15550100"\n[must]\nsaid = ["Ann"]\ntools = [{{ called = "who_calls" }}]'
    async with at:
        found = await stage(at, bot).play(parse(text, "who"))
    assert found.held, found.untrue
    assert numbers == ["+15550100"]


async def test_several_calls_are_answered_before_the_model_goes_on_once() -> None:
    both = CallsTools(("lookup_order", {"order_number": "ACME-12345"}), ("nonsense", {}))
    at = cloud("openai", both, Replies("Done."))
    async with at:
        found = await stage(at).play(parse(ASKS, "both"))
    sent = [m.detail["type"] for m in found.call.marks("client_event")]
    assert sent[-4:] == [
        "response.create",
        "conversation.item.create",
        "conversation.item.create",
        "response.create",
    ]
    outputs = [m.detail["output"] for m in found.call.marks("tool_answered")]
    assert "Kettle Classic" in outputs[0]
    assert "invalid_arguments" in outputs[1]


async def test_what_the_model_does_not_do_is_untrue() -> None:
    found = await played(cloud("openai", Replies("I do not know.", repeat=True)), "order-status")
    assert not found.held
    assert any("lookup_order was not called" in line for line in found.untrue)
    assert "the call ended as caller_hung_up, not as bot_hung_up" in found.untrue


async def test_an_answer_that_says_nothing_leaves_what_must_be_said_untrue() -> None:
    found = await played(cloud("openai", Silent(repeat=True)), "order-status")
    assert any("never said" in line for line in found.untrue)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (FailsWith("rate_limit_exceeded", "Slow down."), "the rate limit is reached"),
        (FailsWith("insufficient_quota", "No credit."), "check billing"),
        (FailsWith(None), "the cloud has failed, not your account"),
        (StopsShort("Well", "content_filter"), "content filter has stopped the answer"),
    ],
)
async def test_an_answer_that_fails_says_why(act: Any, words: str) -> None:
    found = await played(cloud("openai", act), "order-status")
    assert words in found.error
    assert not found.held
    assert found.untrue == []


async def test_an_answer_that_was_cut_short_is_an_answer() -> None:
    async with cloud("openai", StopsShort("We sell kettles and", "max_output_tokens")) as at:
        found = await stage(at).play(parse(f'{ASKS}[must]\nsaid = ["kettles and"]', "short"))
    assert found.held


async def test_a_model_that_never_stops_calling_tools_is_stopped() -> None:
    at = cloud("openai", CallsTools(("find_store_location", {}), repeat=True))
    found = await played(at, "order-status")
    assert found.error == f"stopped after {MOST_RESPONSES} responses, to limit the cost"


@pytest.mark.parametrize(
    ("env", "faults", "words"),
    [
        ({"OPENAI_API_KEY": "sk-wrong"}, Faults(), "http 401: the key is wrong"),
        ({}, Faults(session_status=(404,)), f"there is no '{MODEL}' here"),
        ({}, Faults(session_status=(429,)), "http 429"),
        ({"OPENAI_BASE": "http://127.0.0.1:1/v1"}, Faults(), "no connection to 127.0.0.1"),
    ],
)
async def test_a_cloud_that_cannot_be_reached_ends_the_run(
    env: dict[str, str], faults: Faults, words: str
) -> None:
    async with cloud(faults=faults) as at:
        real = stage(at, env=env)
        first = await real.play(find("order-status"))
        second = await real.play(find("transfer"))
        assert at.sessions == []
    assert words in first.error
    assert second.error == f"not played: {first.error}"
    assert real.used == Tokens()


async def test_a_suite_tells_and_reports_what_was_skipped_and_not_checked(tmp_path: Path) -> None:
    for name, written in {
        "a_holds": f'{ASKS}[must]\nsaid = ["Hello"]\nanswer_within_ms = 100',
        "b_skips": f"{ASKS}[cloud]\nrefer = 500",
        "c_fails": f'{ASKS}[must]\nsaid = ["zebra"]',
    }.items():
        (tmp_path / f"{name}.toml").write_text(written, "utf-8")
    paths, junit = files([tmp_path]), tmp_path / "out.xml"
    out, text = console()
    async with cloud("openai", Replies("Hello you.", repeat=True)) as at:
        assert await run(paths, stage(at), out, junit) == 1
    told = text.getvalue()
    assert "1 passed, 1 failed, 1 skipped" in told
    assert "skipped b_skips it is about faults of the cloud" in told
    assert "not checked: answer_within_ms = 100" in told
    assert "the bot never said 'zebra'" in told
    report = junit.read_text()
    assert 'failures="1" errors="0" skipped="1"' in report
    assert '<skipped message="it is about faults of the cloud" />' in report
    assert "not checked: answer_within_ms = 100" in report


async def test_a_run_in_which_all_was_skipped_has_shown_nothing(tmp_path: Path) -> None:
    path = tmp_path / "skips.toml"
    path.write_text(f"{ASKS}[cloud]\nrefer = 500", "utf-8")
    out, text = console()
    async with cloud() as at:
        assert await run([path], stage(at), out) == 1
        assert await play([str(path)], stage(at), out) == 1
    assert "0 passed, 0 failed, 1 skipped" in text.getvalue()


async def test_a_single_call_is_told_as_a_story() -> None:
    out, text = console()
    async with cloud() as at:
        real = stage(at)
        assert await play(["order-status"], real, out) == 0
        bill(real.model, real.used, out)
    told = text.getvalue()
    for piece in (
        "Ann: Where is my order ACME 12345?",
        "tool lookup_order",
        "Not checked: greeting_within_ms = 3000",
        "Everything held, on record as bot_hung_up.",
        "of them cached), ",
    ):
        assert piece in told
    assert real.used.input > real.used.output > 0
    assert "$0.00" in told


async def test_the_estimate_is_not_below_what_is_used() -> None:
    async with cloud() as at:
        real = stage(at)
        offer = real.offer([find("order-status"), find("keypad-human")])
        await real.play(find("order-status"))
    assert (offer.played, offer.skipped) == (1, 1)
    assert real.used.input <= offer.tokens.text_in
    assert real.used.output <= offer.tokens.text_out


def test_the_cost_is_told_before_anything_starts() -> None:
    out, text = console()
    tokens = Tokens(text_in=100_000, text_out=10_000)
    assert accepted(Offer(MODEL, 3, 1, tokens), out, yes=True)
    told = text.getvalue()
    assert f"3 scenarios with the real model {MODEL}, 1 skipped" in told
    assert "100,000 tokens in, 10,000 out" in told
    assert "about $0.08" in told


def test_an_unknown_price_is_said_and_is_not_zero() -> None:
    out, text = console()
    assert accepted(Offer("my-deployment", 1, 0, Tokens(text_in=5)), out, yes=True)
    assert "The price of my-deployment is unknown here" in text.getvalue()
    assert "$" not in text.getvalue()


def test_where_nobody_can_be_asked_agreement_must_be_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    out, text = console()
    with pytest.raises(UserError, match="say --yes"):
        accepted(Offer(MODEL, 1, 0, Tokens(text_in=5)), out, yes=False)
    assert MODEL in text.getvalue()


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("\n", False), ("n\n", False)])
def test_a_person_is_asked(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    keyboard = io.StringIO(answer)
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", keyboard)
    out, _ = console()
    assert accepted(Offer(MODEL, 1, 0, Tokens(text_in=5)), out, yes=False) is agreed


def test_without_a_key_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="set OPENAI_API_KEY"):
        settings(tmp_path / ".env")
