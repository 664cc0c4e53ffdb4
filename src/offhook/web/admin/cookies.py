"""The cookies of a browser: of its session, and of a sign-in that is under way."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response


class Cookies(Struct, frozen=True):
    """Sets and reads them. `secure`: people reach us by TLS only, so the cookies go so, too."""

    secure: bool

    @property
    def session(self) -> str:
        """The name of the session's cookie. With `__Host-` no other host can set it for us."""
        return "__Host-offhook_session" if self.secure else "offhook_session"

    @property
    def login(self) -> str:
        """The name of the cookie of a sign-in that is under way."""
        return "__Host-offhook_login" if self.secure else "offhook_login"

    def read(self, request: Request, name: str) -> str | None:
        """The secret in a cookie, if there is one."""
        return request.cookies.get(name) or None

    def sign_in(self, response: Response, secret: str, lasts_s: int) -> None:
        """Let the browser keep a session. Strict: no link from elsewhere carries it."""
        self._set(response, self.session, secret, lasts_s, "strict")
        response.delete_cookie(self.login, secure=self.secure, httponly=True)

    def go_away(self, response: Response, secret: str, lasts_s: int) -> None:
        """Let it keep a sign-in. Lax: it has to be there when the provider sends people back."""
        self._set(response, self.login, secret, lasts_s, "lax")

    def sign_out(self, response: Response) -> None:
        """Let it forget the session."""
        response.delete_cookie(self.session, secure=self.secure, httponly=True, samesite="strict")

    def _set(
        self,
        response: Response,
        name: str,
        secret: str,
        lasts_s: int,
        same_site: Literal["strict", "lax"],
    ) -> None:
        response.set_cookie(
            name, secret, lasts_s, secure=self.secure, httponly=True, samesite=same_site
        )
