"""The bundled bot: a small shop named ACME, with orders, stock, stores and callbacks."""

from offhook.shop.bot import make_bot

__all__ = ["make_bot"]
