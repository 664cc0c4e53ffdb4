"""Settings: read from the environment and `.env`, checked as a whole, handed on as one value."""

from offhook.config.admin import Admin, Webhooks
from offhook.config.costs import Costs
from offhook.config.declare import Entry
from offhook.config.endpoint import Endpoint, Provider, derive, is_loopback
from offhook.config.groups import Cloud, Limits, Logs, Phone, Server, Session, Shop, Turns
from offhook.config.loading import load
from offhook.config.privacy import Privacy
from offhook.config.records import Records
from offhook.config.reference import fields, table
from offhook.config.replicas import Replicas
from offhook.config.settings import Settings, auth_headers
from offhook.config.watchdogs import Watchdogs

__all__ = [
    "Admin",
    "Cloud",
    "Costs",
    "Endpoint",
    "Entry",
    "Limits",
    "Logs",
    "Phone",
    "Privacy",
    "Provider",
    "Records",
    "Replicas",
    "Server",
    "Session",
    "Settings",
    "Shop",
    "Turns",
    "Watchdogs",
    "Webhooks",
    "auth_headers",
    "derive",
    "fields",
    "is_loopback",
    "load",
    "table",
]
