"""What every answer tells a browser: keep nothing, run nothing, show it nowhere else.

The values are those of the OWASP REST Security Cheat Sheet.
"""

from __future__ import annotations

from starlette.responses import Response

_ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TLS = {"Strict-Transport-Security": "max-age=31536000"}


def guard(response: Response, *, secure: bool) -> Response:
    """The same answer with these headers. `secure`: people reach us by TLS only."""
    for name, value in (_ALWAYS | (_TLS if secure else {})).items():
        response.headers.setdefault(name, value)
    return response
