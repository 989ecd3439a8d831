"""The bytes of a request, and those of an answer: all of them, as they came or decoded."""

import httpx

from botproof.errors import HarnessError


async def sent(request: httpx.Request) -> bytes:
    """All that goes out. What is made of bytes is at hand; for every stream that is awaited, a loop keeps books."""
    return b"".join(request.stream) if isinstance(request.stream, httpx.ByteStream) else await request.aread()


async def whole(response: httpx.Response) -> httpx.Response:
    """The answer with all its bytes as they came, still encoded. One that was made of bytes is whole already."""
    stream = response.stream
    if response.is_stream_consumed or isinstance(stream, httpx.ByteStream):
        return response
    if not isinstance(stream, httpx.AsyncByteStream):
        raise HarnessError(f"a transport for asynchronous clients answers with a stream of that kind; found {stream!r}")
    try:
        content = b"".join([chunk async for chunk in stream])
    finally:
        await response.aclose()
    return _of_bytes(response, content)


def decoded(response: httpx.Response) -> bytes:
    """What a whole answer says; who else gets it finds it unread. Raises `httpx.DecodingError`."""
    if response.is_stream_consumed:
        return response.content
    assert isinstance(response.stream, httpx.ByteStream), "the answer is whole"
    content = b"".join(response.stream)
    return _of_bytes(response, content).read() if "content-encoding" in response.headers else content


def _of_bytes(response: httpx.Response, content: bytes) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx.ByteStream(content),
        extensions=response.extensions,
    )
