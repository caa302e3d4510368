"""What a suite asks over httpx, bounded: the app that answers may be hostile."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx


@contextmanager
def bounded_answers(limit: int) -> Iterator[None]:
    """No answer that httpx gets is larger than `limit` bytes, packed or not.

    A larger one raises httpx.DecodingError in the test that asks. Nothing is unpacked: a few bytes
    on the wire may stand for any number, so a suite asks for nothing packed, and what comes packed
    all the same is refused.
    """
    whole = httpx.HTTPTransport.handle_request

    def bounded(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = "identity"
        response = whole(self, request)
        packed = response.headers.get("content-encoding", "identity").strip().lower()
        if packed != "identity":
            response.close()
            raise httpx.DecodingError(f"the answer is packed unasked: {packed[:40]}")
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Counted(response.stream, limit)
        return response

    httpx.HTTPTransport.handle_request = bounded  # type: ignore[method-assign]
    try:
        yield
    finally:
        httpx.HTTPTransport.handle_request = whole  # type: ignore[method-assign]


class _Counted(httpx.SyncByteStream):
    """A body that ends in an error where it gets too large."""

    def __init__(self, stream: httpx.SyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._limit:
                raise httpx.DecodingError(f"the answer is larger than {self._limit} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()
