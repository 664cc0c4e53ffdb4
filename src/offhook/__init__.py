"""offhook answers phone calls with Azure OpenAI or OpenAI Realtime over SIP.

This is the public surface; whatever is not named here may change.
"""

from offhook._version import __version__
from offhook.bot import Bot
from offhook.core.call import Call
from offhook.core.outcomes import Consented, HangUp, Transfer
from offhook.core.party import Party
from offhook.disclosure import Disclosure
from offhook.errors import BotError, OffhookError, SettingsError
from offhook.telephony.targets import Target
from offhook.tools import Tool, tool

__all__ = [
    "Bot",
    "BotError",
    "Call",
    "Consented",
    "Disclosure",
    "HangUp",
    "OffhookError",
    "Party",
    "SettingsError",
    "Target",
    "Tool",
    "Transfer",
    "__version__",
    "tool",
]
