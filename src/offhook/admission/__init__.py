"""Who may come in: rules that are asked, in order, before a call is accepted. All of it is pure."""

from offhook.admission.breaker import Breaker
from offhook.admission.load import Load
from offhook.admission.rates import Rates
from offhook.admission.rules import RULES, Codes, Outcome, Rule, Seen, check, explain

__all__ = [
    "RULES",
    "Breaker",
    "Codes",
    "Load",
    "Outcome",
    "Rates",
    "Rule",
    "Seen",
    "check",
    "explain",
]
