"""The bot's audio on its way to the caller's ear: it plays far slower than it is made."""

from __future__ import annotations

from collections import deque

from offhook.simulator.clock import Timer
from offhook.simulator.stage import Stage


class Track:
    """The audio of one response."""

    __slots__ = ("complete", "item_id", "response_id", "seconds", "started_at", "text")

    def __init__(self, response_id: str, item_id: str) -> None:
        self.response_id = response_id
        self.item_id = item_id
        self.text = ""
        self.seconds = 0.0
        self.started_at: float | None = None
        self.complete = False


class Playback:
    """Plays the tracks one after the other and tells when each starts, stops or is cleared."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tracks: deque[Track] = deque()
        self._timer: Timer | None = None
        self._cleared: set[str] = set()
        self.heard = 0
        """How many tracks were heard, to their end or not."""

    @property
    def playing(self) -> bool:
        """Whether the caller hears the bot right now."""
        return bool(self._tracks) and self._tracks[0].started_at is not None

    @property
    def audible(self) -> str:
        """The words of what plays now, as far as they were heard."""
        track = self._tracks[0] if self._tracks else None
        if track is None or track.started_at is None:
            return ""
        return _heard(track, self._stage.clock.now() - track.started_at)

    @property
    def idle(self) -> bool:
        """Whether nothing plays and nothing waits to be played."""
        return not self._tracks

    def feed(self, response_id: str, item_id: str, text: str) -> None:
        """More audio of a response, told by its words."""
        if response_id in self._cleared:
            return
        track = self._track(response_id, item_id)
        track.text += text
        track.seconds += len(text) / self._stage.timings.chars_per_second
        if track is self._tracks[0] and track.started_at is None and self._timer is None:
            self._timer = self._stage.clock.later(self._stage.timings.first_audio, self._start)

    def _track(self, response_id: str, item_id: str) -> Track:
        for track in self._tracks:
            if track.response_id == response_id:
                return track
        track = Track(response_id, item_id)
        self._tracks.append(track)
        return track

    def finish(self, response_id: str) -> None:
        """No more audio of this response will come."""
        for track in self._tracks:
            if track.response_id == response_id:
                track.complete = True
                if track is self._tracks[0] and track.started_at is not None:
                    self._plan_stop(track)
        self._cleared.discard(response_id)

    def _start(self) -> None:
        self._timer = None
        track = self._tracks[0]
        track.started_at = self._stage.clock.now()
        self._stage.items.assistant_spoke = True
        self._stage.trace.mark("bot_audio_started", response_id=track.response_id)
        self._stage.emit("output_audio_buffer.started", response_id=track.response_id)
        if track.complete:
            self._plan_stop(track)
        self._stage.changed()

    def _plan_stop(self, track: Track) -> None:
        assert track.started_at is not None  # noqa: S101 - only called for a track that plays
        left = track.started_at + track.seconds - self._stage.clock.now()
        self._timer = self._stage.clock.later(left, self._stop)

    def _stop(self) -> None:
        self._timer = None
        track = self._tracks.popleft()
        self._stage.trace.mark("bot_audio_stopped", response_id=track.response_id)
        self._said(track, track.text, interrupted=False)
        self._stage.emit("output_audio_buffer.stopped", response_id=track.response_id)
        if self._tracks:
            self._start()
        else:
            self._stage.changed()

    def clear(self) -> bool:
        """Fall silent and forget what was not heard; whether anything was playing."""
        track = self._cut()
        if track is None or track.started_at is None:
            return False
        played = min(self._stage.clock.now() - track.started_at, track.seconds)
        heard = _heard(track, played)
        self._stage.trace.mark("bot_audio_cleared", response_id=track.response_id)
        self._said(track, heard, interrupted=True)
        self._stage.emit("output_audio_buffer.cleared", response_id=track.response_id)
        if self._stage.items.truncate(track.item_id, heard, played) is None:
            self._stage.emit(
                "conversation.item.truncated",
                item_id=track.item_id,
                content_index=0,
                audio_end_ms=int(played * 1000),
            )
        self._stage.changed()
        return True

    def end(self) -> None:
        """The line is gone."""
        track = self._cut()
        if track is not None and track.started_at is not None:
            played = min(self._stage.clock.now() - track.started_at, track.seconds)
            self._said(track, _heard(track, played), interrupted=True)

    def _cut(self) -> Track | None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        first = self._tracks[0] if self._tracks else None
        self._cleared.update(track.response_id for track in self._tracks if not track.complete)
        self._tracks.clear()
        return first

    def _said(self, track: Track, text: str, *, interrupted: bool) -> None:
        self.heard += 1
        self._stage.trace.mark("bot_said", text=text, interrupted=interrupted)


def _heard(track: Track, played: float) -> str:
    """The whole words that were played."""
    if played >= track.seconds:
        return track.text
    cut = track.text[: int(len(track.text) * played / track.seconds)]
    return cut.rpartition(" ")[0]
