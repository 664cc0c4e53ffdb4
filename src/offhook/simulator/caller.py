"""The person on the phone, who follows a script."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterator
from time import time

from offhook.simulator.answers import Answers
from offhook.simulator.clock import Pause, Performance, Predicate, Timer
from offhook.simulator.playback import Playback
from offhook.simulator.script import (
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Says,
    Script,
    Step,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.stage import Stage
from offhook.simulator.turns import Turns

KEY_TONE_S = 0.2
PATIENCE_S = 20.0
"""Real seconds that a caller waits for what the script expects."""


class Caller:
    """Performs the steps of a script, and those that are added while the call goes on."""

    def __init__(
        self,
        stage: Stage,
        script: Script,
        playback: Playback,
        answers: Answers,
        turns: Turns,
        *,
        hang_up: Callable[[], None],
        lose_sideband: Callable[[float], None],
    ) -> None:
        self._stage = stage
        self._playback = playback
        self._answers = answers
        self._turns = turns
        self._hang_up = hang_up
        self._lose_sideband = lose_sideband
        self._steps: deque[Step] = deque(script.steps)
        self._heard = 0
        self._orders_pending: Callable[[], bool] = lambda: False
        self._performance = Performance(stage.clock, self._play())
        self._started = False
        self._guard: Timer | asyncio.TimerHandle | None = None
        stage.watchers.append(self._performance.poke)

    def waits_for_orders(self, pending: Callable[[], bool]) -> None:
        """Tell how to see that the client has just ordered an answer."""
        self._orders_pending = pending

    def start(self) -> None:
        """Begin to follow the script; does nothing the second time."""
        if not self._started:
            self._started = True
            self._performance.start()

    def do(self, step: Step) -> None:
        """Add a step."""
        self._steps.append(step)
        if self._started:
            self._performance.poke()

    def end(self) -> None:
        """The line is gone."""
        self._performance.stop()
        if self._guard is not None:
            self._guard.cancel()
        self._stage.watchers.remove(self._performance.poke)

    def _play(self) -> Iterator[Pause]:
        while True:
            yield lambda: bool(self._steps)
            yield from self._perform(self._steps.popleft())

    def _perform(self, step: Step) -> Iterator[Pause]:
        match step:
            case Hears():
                yield from self._listens(step)
            case Says():
                yield from self._says(step)
            case Presses(keys=keys, gap_s=gap):
                for key in keys:
                    self._turns.press(key, int(time()))
                    yield self._stage.timings.keypress if gap is None else gap
                    if self._stage.beliefs.keys_are_heard:
                        yield from self._turns.hear("", KEY_TONE_S, transcript="")
            case Waits(seconds=seconds):
                yield seconds
            case WaitsFor(kind=kind, count=count, timeout_s=timeout):
                yield from self._until(
                    lambda: len(self._stage.trace.of(kind)) >= count, timeout, kind
                )
            case WaitsForTool(name=name, timeout_s=timeout):
                yield from self._until(lambda: self._at_work(name), timeout, name or "a tool")
            case HangsUp():
                self._hang_up()
            case LosesSideband(for_s=seconds):
                self._lose_sideband(seconds)

    def _says(self, step: Says) -> Iterator[Pause]:
        if step.over:
            yield from self._until(lambda: self._playback.playing, None, "bot audio")
        if step.after_ms:
            yield step.after_ms / 1000
        seconds = step.seconds
        if seconds is None:
            seconds = max(0.3, len(step.text) / self._stage.timings.chars_per_second)
        transcript = step.text if step.transcript is None else step.transcript
        yield from self._turns.hear(step.text, seconds, transcript=transcript, stops=step.stops)
        self._heard = self._times_heard()

    def _listens(self, step: Hears) -> Iterator[Pause]:
        """Hear the bot out; a pause between two sentences is not yet the end."""
        heard = self._said(step.text) if step.text is not None else self._spoke
        done: Predicate = lambda: heard() and self._quiet()  # noqa: E731
        while True:
            if not (yield from self._until(done, step.timeout_s, "hears")):
                break
            yield from self._settles()
            if done():
                break
        self._heard = self._times_heard()

    def _at_work(self, name: str | None) -> bool:
        trace = self._stage.trace
        answered = {mark.detail["call_id"] for mark in trace.of("tool_answered")}
        return any(
            name in (None, mark.detail["name"]) and mark.detail["call_id"] not in answered
            for mark in trace.of("tool_asked")
        )

    def _settles(self) -> Iterator[Pause]:
        settled: list[bool] = []

        def settle() -> None:
            settled.append(True)
            self._performance.poke()

        self._stage.clock.settle(self._stage.timings.reaction, settle)
        yield lambda: bool(settled)

    def _spoke(self) -> bool:
        return self._times_heard() > self._heard

    def _said(self, text: str) -> Predicate:
        return lambda: any(text in mark.detail["text"] for mark in self._stage.trace.of("bot_said"))

    def _times_heard(self) -> int:
        return self._playback.heard + self._answers.completed_texts

    def _quiet(self) -> bool:
        return (
            self._answers.active is None
            and not self._answers.owes_answer
            and self._playback.idle
            and not self._orders_pending()
        )

    def _until(
        self, condition: Predicate, timeout_s: float | None, what: str
    ) -> Generator[Pause, None, bool]:
        """Wait for a condition; whether it came true in time."""
        late: list[bool] = []

        def give_up() -> None:
            late.append(True)
            self._performance.poke()

        clock = self._stage.clock
        guard: Timer | asyncio.TimerHandle
        if timeout_s is None:
            guard = clock.patience(PATIENCE_S, give_up)
        else:
            guard = clock.guard(timeout_s, give_up)
        self._guard = guard
        yield lambda: bool(late) or condition()
        guard.cancel()
        if late and not condition():
            self._stage.trace.mark("script_stuck", waiting_for=what)
            return False
        return True
