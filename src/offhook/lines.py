"""What the model is told to say where offhook, not the conversation, decides to speak.

The words are quoted, so that a caller hears the same sentence each time; `{target}` and
`{others}` become the labels of transfer targets. A bot can replace any of them.
"""

from __future__ import annotations

from offhook.core.rules import Lines, exactly

ENGLISH = Lines(
    greeting=exactly("Hello! You are talking to an AI assistant. How can I help you?"),
    announce=exactly("I am connecting you with {target}. One moment, please."),
    transfer_failed=(
        "The transfer to {target} did not work; the caller is still with you. Say exactly this "
        'now: "I am sorry, I could not reach {target}." Then offer what is left: '
        "{others}, or to arrange a callback."
    ),
    goodbye=exactly("Thank you for calling. Goodbye!"),
    silence=exactly("I cannot hear you, so I am ending the call. Please call again. Goodbye!"),
    wrap_up=exactly("Our call must end in about a minute. Is there one last thing?"),
    time_up=exactly("Our time is up, and I have to end the call. Thank you, goodbye!"),
    shut_down=exactly("I am sorry, I have to end the call. Please call again. Goodbye!"),
    filler=exactly("One moment, please. I am still looking."),
    refused=exactly("Understood. What we say is no longer written down. How can I help you?"),
)

GERMAN = Lines(
    greeting=exactly("Guten Tag! Sie sprechen mit einem KI-Assistenten. Wie kann ich helfen?"),
    announce=exactly("Ich verbinde Sie weiter: {target}. Einen Moment, bitte."),
    transfer_failed=(
        "The transfer to {target} did not work; the caller is still with you. Say exactly this "
        'now: "Es tut mir leid, dort war niemand zu erreichen: {target}." Then offer, in German, '
        "what is left: {others}, or to arrange a callback."
    ),
    goodbye=exactly("Vielen Dank für Ihren Anruf. Auf Wiederhören!"),
    silence=exactly("Ich kann Sie nicht hören und beende das Gespräch. Auf Wiederhören!"),
    wrap_up=exactly("Unser Gespräch endet in etwa einer Minute. Haben Sie noch eine Frage?"),
    time_up=exactly("Unsere Zeit ist um, ich muss das Gespräch beenden. Auf Wiederhören!"),
    shut_down=exactly("Es tut mir leid, ich muss das Gespräch beenden. Auf Wiederhören!"),
    filler=exactly("Einen Moment, bitte. Ich sehe noch nach."),
    refused=exactly("Verstanden. Es wird nichts mehr mitgeschrieben. Wie kann ich helfen?"),
)


def someone(language: str) -> str:
    """What callers hear of a target that has no label of its own."""
    return "Kundenservice" if _is_german(language) else "a colleague"


def how_can_i_help(language: str) -> str:
    """What follows a disclosure where the bot has no greeting of its own."""
    return "Wie kann ich Ihnen helfen?" if _is_german(language) else "How can I help you?"


def lines_for(language: str) -> Lines:
    """The standard lines of a language tag such as `de` or `de-AT`; English where unknown."""
    return GERMAN if _is_german(language) else ENGLISH


def _is_german(language: str) -> bool:
    return language.lower().split("-")[0] == "de"
