"""The HTTP client of a venue: httpx's, without the cookies of a browser."""

from typing import Any

import httpx


class _NoCookies(httpx.Cookies):
    """Takes none: to look for them costs a third of what httpx does for a call."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the answer's cookies where they are."""


class ApiClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` that keeps no cookies: a signed call proves itself, and is the same the second time."""

    def __init__(self, **options: Any) -> None:
        self._none = _NoCookies()
        super().__init__(**options)

    @property
    def cookies(self) -> httpx.Cookies:
        """Always empty."""
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise TypeError(f"this client keeps no cookies; found {cookies!r}")
