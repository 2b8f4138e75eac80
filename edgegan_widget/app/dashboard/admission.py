"""Who may see the page: those with the token; others get one page that says where it stands."""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.auth.login import LoginFormHandler
from tornado.escape import url_escape

__all__ = ["Admission", "TokenPage"]


class TokenPage(LoginFormHandler):  # type: ignore[misc]
    """Asks for the token, or for the whole address with it, and goes on to the page."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def post(self) -> object:
        """Take what was pasted."""
        pasted = self.get_argument("password", "")
        self.request.arguments["password"] = [_token(pasted).encode()]
        return super().post()

    def _render(self, message: object = None) -> None:
        page = self.settings["voila_jinja2_env"].get_template("token.html")
        onward = url_escape(self.get_argument("next", default=self.base_url))
        address = f"{self.base_url}login?next={onward}"
        self.write(page.render(address=address, xsrf=self.xsrf_form_html(), wrong=message is not None))


class Admission(PasswordIdentityProvider):  # type: ignore[misc]
    """Jupyter's check of tokens, with our page for those who have none."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**(settings | {"login_handler_class": TokenPage}))  # Voilà asks for a page of its own


def _token(pasted: str) -> str:
    """The token in an address, or what was pasted if it is none."""
    found = re.search(r"[?&]token=([^&#\s]+)", pasted)
    return found[1] if found else pasted.strip()
