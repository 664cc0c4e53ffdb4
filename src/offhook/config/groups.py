"""The settings, in groups for those who need them. Each is declared here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import SecretStr

from offhook.config.declare import Group, setting
from offhook.config.endpoint import OPENAI_BASE, Provider
from offhook.config.kinds import (
    LANGUAGE,
    NAME,
    ApiKey,
    Eagerness,
    Effort,
    Host,
    IdleTimeout,
    Language,
    LowerCase,
    Name,
    Region,
    SigningSecrets,
    Version,
    none_if,
)


class Cloud(Group):
    """Where the model runs and what opens the door. `endpoint` in `Settings` follows from it."""

    api_key: ApiKey = setting(
        "OPENAI_API_KEY",
        SecretStr(""),
        "The API key: of the Azure OpenAI resource, or of the OpenAI project of the SIP address",
        accepts="an API key",
        example="sk-...",
        unset="required",
    )
    base: str = setting(
        "OPENAI_BASE",
        OPENAI_BASE,
        "The cloud's address; for Azure that of your resource",
        accepts="a URL",
        example="https://my-resource.openai.azure.com",
    )
    ws_base: str | None = setting(
        "REALTIME_WS_BASE",
        None,
        "The WebSocket address, for the rare case that it is another",
        accepts="a URL",
        example="wss://my-resource.openai.azure.com/openai/v1/realtime",
        unset="follows from `OPENAI_BASE`",
    )
    provider: Annotated[Provider | None, LowerCase] = setting(
        "OFFHOOK_PROVIDER",
        None,
        "Whose rules the address follows (an `api-key` header for Azure, a bearer for OpenAI)",
        example="azure",
        unset="by the host of `OPENAI_BASE`",
    )
    api_version: Version | None = setting(
        "REALTIME_API_VERSION",
        None,
        "An `api-version` to send along; the addresses below `/v1` need none",
        accepts="a version",
        example="2025-04-01-preview",
        unset="not sent",
    )
    model: Name = setting(
        "REALTIME_MODEL",
        "gpt-realtime-2.1",
        "The model; on Azure the name of your deployment, which is required there",
        accepts=NAME,
    )
    warm_connections: int = setting(
        "OFFHOOK_WARM_CONNECTIONS",
        2,
        "TLS connections to the cloud kept open for the next call",
        span=(0, 64),
    )


class Server(Group):
    """Where webhooks come in and how they are trusted."""

    host: Host = setting(
        "OFFHOOK_HOST",
        "127.0.0.1",
        "The address to listen on; a tunnel reaches loopback, a container wants `0.0.0.0`",
        accepts="an IP address or a host name",
    )
    port: int = setting("PORT", 8000, "The port to listen on; 0 takes a free one", span=(0, 65535))
    webhook_secrets: SigningSecrets = setting(
        "OPENAI_WEBHOOK_SECRET",
        (),
        "The webhook's signing secret; several, separated by commas, while one replaces another",
        accepts="a signing secret",
        example="whsec_...",
        unset="required without `TEST_MODE`",
    )
    test_mode: bool = setting(
        "TEST_MODE",
        False,
        "Take unsigned webhooks; only on loopback, for experiments on one machine",
    )
    drain_s: float = setting(
        "OFFHOOK_DRAIN_S",
        20.0,
        "How long live calls may go on after the order to stop, where nobody else takes them",
        span=(0, 3600),
        unit="s",
    )


class Logs(Group):
    """What is written down, and how."""

    format: Annotated[Literal["json", "pretty"] | None, LowerCase] = setting(
        "LOG_FORMAT",
        None,
        "Log lines for machines or for people",
        example="json",
        unset="pretty on a terminal, else json",
    )
    level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = setting(
        "OFFHOOK_LOG_LEVEL", "info", "The least important lines that are still logged"
    )
    transcripts: bool = setting(
        "OFFHOOK_LOG_TRANSCRIPTS", False, "Log what is said, too, redacted as far as it goes"
    )
    journal: bool = setting(
        "OFFHOOK_JOURNAL",
        False,
        "Write each call into a file for `offhook replay`. What is said is in it, whatever "
        "`OFFHOOK_LOG_TRANSCRIPTS` says: without numbers, addresses and pressed keys, but with "
        "names and all else that people tell",
    )
    journal_dir: str = setting(
        "OFFHOOK_JOURNAL_DIR",
        "journals",
        "The folder of these files; made on first use",
        accepts="the path of a folder",
    )


class Session(Group):
    """How the model hears and speaks. Goes to the cloud when a call is accepted."""

    voice: Name = setting(
        "REALTIME_VOICE", "marin", "The voice, or the `voice_...` id of your own", accepts=NAME
    )
    language: Language = setting(
        "OFFHOOK_LANGUAGE", "en", "The language to open calls in", accepts=LANGUAGE
    )
    greeting_delay_ms: int = setting(
        "OFFHOOK_GREETING_DELAY_MS",
        200,
        "Wait before the greeting, so that the line is open for its first syllable",
        span=(0, 5000),
        unit="ms",
    )
    greeting_barge_in: bool = setting(
        "OFFHOOK_GREETING_BARGE_IN", True, "Whether the caller may cut in on the greeting"
    )
    noise_reduction: Annotated[
        Literal["near_field", "far_field"] | None, none_if("off"), LowerCase
    ] = setting(
        "OFFHOOK_NOISE_REDUCTION",
        "far_field",
        "The cloud's filter for background noise",
        accepts="near_field, far_field or off",
    )
    transcription_model: Annotated[Name | None, none_if("off")] = setting(
        "OFFHOOK_TRANSCRIPTION_MODEL",
        "gpt-realtime-whisper",
        "What writes down the caller's words; on Azure the name of a deployment",
        accepts=f"{NAME}, or off",
    )
    transcription_language: Language | None = setting(
        "OFFHOOK_TRANSCRIPTION_LANGUAGE",
        None,
        "The language that callers speak",
        accepts=LANGUAGE,
        example="de",
        unset="that of `OFFHOOK_LANGUAGE`",
    )
    retention_ratio: Annotated[float | None, none_if("auto")] = setting(
        "OFFHOOK_RETENTION_RATIO",
        0.8,
        "The share of a full context to keep when it is cut; `auto` leaves it to the cloud",
        span=(0, 1),
        accepts="a number from 0 to 1, or auto",
    )
    reasoning_effort: Annotated[Effort | None, LowerCase] = setting(
        "OFFHOOK_REASONING_EFFORT",
        None,
        "How hard a reasoning model thinks before it speaks",
        example="low",
        unset="the model's own",
    )

    @property
    def caller_language(self) -> str:
        """What to tell the transcription: a bare language, `pt` for `pt-BR`, in lower case."""
        return (self.transcription_language or self.language).partition("-")[0].lower()


class Turns(Group):
    """Who speaks when: voice activity detection (VAD), cutting in, and silence."""

    owner: Annotated[Literal["server", "manual"], LowerCase] = setting(
        "OFFHOOK_TURNS",
        "server",
        "Who asks for the answer to a turn: the cloud by itself, or offhook",
    )
    vad: Annotated[Literal["server", "semantic"], LowerCase] = setting(
        "OFFHOOK_VAD", "server", "What ends a turn: silence, or what was said"
    )
    threshold: float | None = setting(
        "OFFHOOK_VAD_THRESHOLD",
        None,
        "How loud speech must be; server VAD only",
        span=(0, 1),
        example="0.6",
        unset="the cloud's",
    )
    silence_ms: int = setting(
        "OFFHOOK_VAD_SILENCE_MS",
        500,
        "The pause that ends a turn; server VAD only",
        span=(100, 5000),
        unit="ms",
    )
    prefix_ms: int | None = setting(
        "OFFHOOK_VAD_PREFIX_MS",
        None,
        "How much sound from before speech was noticed belongs to it; server VAD only",
        span=(0, 5000),
        unit="ms",
        example="300",
        unset="the cloud's",
    )
    eagerness: Annotated[Eagerness | None, LowerCase] = setting(
        "OFFHOOK_VAD_EAGERNESS",
        None,
        "How soon a turn counts as ended; semantic VAD only",
        example="medium",
        unset="the cloud's",
    )
    interrupt: bool = setting(
        "OFFHOOK_INTERRUPT", True, "Whether the caller may cut in on an answer"
    )
    idle_timeout_ms: IdleTimeout = setting(
        "OFFHOOK_IDLE_TIMEOUT_MS",
        12000,
        "Silence after which the model asks whether anybody is there; 0 = never; server VAD only",
        accepts="0 or a whole number from 5000 to 30000 (ms)",
    )
    silence_limit: int = setting(
        "OFFHOOK_SILENCE_LIMIT",
        2,
        "Unanswered questions of that kind before the goodbye",
        span=(1, 10),
    )

    @property
    def idle_ms(self) -> int | None:
        """The idle timeout to send, or `None` where it is off or semantic VAD has none."""
        return self.idle_timeout_ms if self.vad == "server" and self.idle_timeout_ms else None


class Limits(Group):
    """How long each step of a call may take, and the call itself."""

    ring_budget_ms: int = setting(
        "OFFHOOK_RING_BUDGET_MS",
        4000,
        "From the webhook to an accepted call, all tries together; then the call is rejected",
        span=(500, 30000),
        unit="ms",
    )
    accept_timeout_ms: int = setting(
        "OFFHOOK_ACCEPT_TIMEOUT_MS",
        2000,
        "One try to accept",
        span=(100, 30000),
        unit="ms",
    )
    reject_code: int = setting(
        "OFFHOOK_REJECT_CODE",
        503,
        "The SIP status of a call that cannot be taken; most carriers go on to the next target",
        span=(300, 699),
    )
    attach_budget_ms: int = setting(
        "OFFHOOK_ATTACH_BUDGET_MS",
        10000,
        "To attach the WebSocket to an accepted call, all tries together",
        span=(1000, 60000),
        unit="ms",
    )
    max_call_minutes: float = setting(
        "OFFHOOK_MAX_CALL_MINUTES",
        55.0,
        "The longest call; shorter where the cloud says that its session ends sooner",
        span=(1, 60),
        unit="min",
    )
    wrap_up_s: float = setting(
        "OFFHOOK_WRAP_UP_S",
        60.0,
        "How long before that the model is told to come to an end",
        span=(0, 1800),
        unit="s",
    )
    no_event_s: float = setting(
        "OFFHOOK_NO_EVENT_S",
        60.0,
        "Without any event for this long, the call is checked for being alive",
        span=(5, 3600),
        unit="s",
    )
    announce_limit_ms: int = setting(
        "OFFHOOK_ANNOUNCE_LIMIT_MS",
        8000,
        "To announce a transfer; then it is made regardless",
        span=(0, 60000),
        unit="ms",
    )
    refer_watch_s: float = setting(
        "OFFHOOK_REFER_WATCH_S",
        12.0,
        "A call that is still there after this long was not transferred",
        span=(1, 120),
        unit="s",
    )
    goodbye_limit_ms: int = setting(
        "OFFHOOK_GOODBYE_LIMIT_MS",
        10000,
        "To say goodbye; then it is hung up regardless",
        span=(0, 60000),
        unit="ms",
    )
    response_limit_s: float = setting(
        "OFFHOOK_RESPONSE_LIMIT_S",
        30.0,
        "The longest wait for a response to be finished",
        span=(1, 600),
        unit="s",
    )
    tool_timeout_s: float = setting(
        "OFFHOOK_TOOL_TIMEOUT_S",
        10.0,
        "The longest run of a tool that names no timeout of its own",
        span=(0.1, 600),
        unit="s",
    )


class Phone(Group):
    """Numbers: whom to transfer to, and the keys that callers press."""

    sip_target: str | None = setting(
        "SIP_TARGET_URI",
        None,
        "Where a transfer goes that names no target",
        accepts="a tel: or sip: address",
        example="tel:+14155550100",
        unset="no transfer",
    )
    default_region: Region | None = setting(
        "OFFHOOK_DEFAULT_REGION",
        None,
        "The country of numbers that are written without one",
        accepts="a country's two letters (ISO 3166)",
        example="DE",
        unset="none",
    )
    dtmf_gap_ms: int = setting(
        "OFFHOOK_DTMF_GAP_MS",
        4000,
        "A pause this long ends an entry on the keypad",
        span=(500, 30000),
        unit="ms",
    )
    dtmf_max: int = setting("OFFHOOK_DTMF_MAX", 32, "The most keys in one entry", span=(1, 256))


class Shop(Group):
    """The bundled bot's own."""

    database: str = setting(
        "OFFHOOK_SHOP_DATABASE",
        "offhook-shop.sqlite3",
        "The SQLite file of the bundled shop; made on first use",
        accepts="the path of a file",
    )
