"""The client keeps no cookies, whoever hands them out."""

import asyncio

import httpx
import pytest

from botproof.venue.client import ApiClient


def test_a_cookie_that_the_venue_sets_is_not_sent_back() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"set-cookie": "__cf_bm=1; path=/"})

    async def twice(client: httpx.AsyncClient) -> None:
        async with client:
            for _ in range(2):
                await client.get("http://fake/")

    asyncio.run(twice(ApiClient(transport=httpx.MockTransport(answer))))
    assert "cookie" not in asked[1].headers

    asyncio.run(twice(httpx.AsyncClient(transport=httpx.MockTransport(answer))))
    assert asked[3].headers["cookie"] == "__cf_bm=1"  # what is kept away


def test_a_cookie_of_the_callers_is_refused() -> None:
    with pytest.raises(TypeError, match="keeps no cookies"):
        ApiClient().cookies = {"a": "b"}
