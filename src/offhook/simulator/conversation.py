"""The items of a conversation, their order and what they cost in tokens."""

from __future__ import annotations

from offhook.simulator.wire import Json, Problem, item_text, new_id

CALLER_TOKENS_PER_S = 10
BOT_TOKENS_PER_S = 20
CHARS_PER_TOKEN = 4


class Conversation:
    """Items in the order in which the model reads them."""

    def __init__(self) -> None:
        self.id = new_id("conv")
        self.caller_text = ""
        """What the caller last said, which no item tells."""
        self.assistant_spoke = False
        self._items: dict[str, Json] = {}
        self._order: list[str] = []
        self._audio_tokens: dict[str, int] = {}
        self._cached = 0

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def get(self, item_id: str) -> Json | None:
        """One item."""
        return self._items.get(item_id)

    @property
    def items(self) -> list[Json]:
        """All items, oldest first."""
        return [self._items[item_id] for item_id in self._order]

    @property
    def last_id(self) -> str | None:
        """The id of the newest item."""
        return self._order[-1] if self._order else None

    def add(self, item: Json, after: str | None = None) -> str | None:
        """Put an item at the end or after another (`root`: the front); returns the one before."""
        if after is None or after == self.last_id:
            previous = self.last_id
            self._order.append(item["id"])
        elif after == "root":
            previous = None
            self._order.insert(0, item["id"])
        else:
            previous = after
            self._order.insert(self._order.index(after) + 1, item["id"])
        self._items[item["id"]] = item
        return previous

    def previous_when_done(self, item_id: str, *, names_callers: bool) -> str | None:
        """The previous item as `conversation.item.done` has it: hardly ever the caller's."""
        index = self._order.index(item_id)
        if index == 0:
            return None
        previous = self._items[self._order[index - 1]]
        hidden = previous.get("role") == "user" and not names_callers
        return None if hidden else str(previous["id"])

    def delete(self, item_id: str) -> None:
        """Take an item out."""
        del self._items[item_id]
        self._order.remove(item_id)
        self._audio_tokens.pop(item_id, None)

    def truncate(self, item_id: str, heard: str, seconds: float) -> Problem | None:
        """Forget what was not heard: `heard` is what was, `seconds` how long it took."""
        item = self._items.get(item_id)
        parts = item.get("content") or [] if item is not None else []
        spoken = any(part["type"] == "output_audio" for part in parts)
        if item is None or item.get("role") != "assistant" or (parts and not spoken):
            return Problem("Only model output audio messages can be truncated")
        for part in parts:
            part["transcript"] = heard
        if item_id in self._audio_tokens:
            self._audio_tokens[item_id] = round(seconds * BOT_TOKENS_PER_S)
        return None

    def knows_tool_call(self, call_id: str) -> bool:
        """Whether a function was called under this id."""
        return any(
            item["type"] == "function_call" and item["call_id"] == call_id
            for item in self._items.values()
        )

    def counts_audio(self, item_id: str, seconds: float, tokens_per_s: int) -> int:
        """Note how long an item's audio is; returns its tokens."""
        tokens = max(1, round(seconds * tokens_per_s))
        self._audio_tokens[item_id] = tokens
        return tokens

    def usage(
        self, read_too: Json, output: list[Json], *, audio_made: int, thought: int | None
    ) -> Json:
        """What a response costs: all that the model read, and what it made of it.

        `read_too` has the instructions and the tools of the response, `thought` is counted where
        the model was told how hard to think; what it thinks is paid as text.
        """
        made = {item["id"] for item in output}
        read = [item for item in self._items.values() if item["id"] not in made]
        audio = sum(self._audio_tokens.get(item["id"], 0) for item in read)
        text = _tokens(str(read_too["instructions"])) + sum(
            _tokens(str(tool)) for tool in read_too["tools"]
        )
        text += sum(_tokens(item_text(item)) for item in read)
        made_text = sum(_tokens(item_text(item) or item.get("arguments", "")) for item in output)
        made_text += thought or 0
        details = {"text_tokens": made_text, "audio_tokens": audio_made}
        if thought is not None:
            details["reasoning_tokens"] = thought
        return {
            "total_tokens": text + audio + made_text + audio_made,
            "input_tokens": text + audio,
            "output_tokens": made_text + audio_made,
            "input_token_details": self._read_again(text, audio),
            "output_token_details": details,
        }

    def _read_again(self, text: int, audio: int) -> Json:
        """The cache holds what the response before has read, in blocks of 64 tokens."""
        cached = min(self._cached, text + audio) // 64 * 64
        cached_text = min(cached, text)
        self._cached = text + audio
        return {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": 0,
            "cached_tokens": cached,
            "cached_tokens_details": {
                "text_tokens": cached_text,
                "audio_tokens": cached - cached_text,
                "image_tokens": 0,
            },
        }


def _tokens(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
