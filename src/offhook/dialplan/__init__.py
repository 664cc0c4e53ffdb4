"""Which line a dialled number belongs to, and what holds on that line: a file that people write."""

from offhook.dialplan.hours import Hours, parse_hours
from offhook.dialplan.plan import ANY, DialPlan, Line, matches
from offhook.dialplan.reading import PlanError, Wrong, read_plan

__all__ = [
    "ANY",
    "DialPlan",
    "Hours",
    "Line",
    "PlanError",
    "Wrong",
    "matches",
    "parse_hours",
    "read_plan",
]
