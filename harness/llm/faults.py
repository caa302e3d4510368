"""What can come back instead of an answer. Both SDKs are generated alike and fail alike."""

import email.utils
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType
from typing import Any

from harness.llm.protocol import TryStatus, Usage, mended

OVERFLOW = re.compile(
    # Anthropic, OpenAI, llama.cpp
    r"prompt is too long|exceed context limit|context_length_exceeded|context window"
    r"|exceed_context_size|exceeds the available context"
    # vLLM, SGLang, DeepSeek, xAI; TGI; Gemini
    r"|maximum (?:context|model|input|prompt) length|model's context length"
    r"|`inputs` (?:tokens|must have less than)|input token count .{0,40}exceeds",
    re.IGNORECASE,
)
"""What servers say of a request that is too long; of an answer that is asked too long, another."""
REFUSED = re.compile(
    r"invalid_prompt|(?:cyber|bio)_policy|misalignment_policy_violation"
    r"|content_policy_violation|content_filter|content filtering policy|content management policy"
    r"|(?:input|content|prompt|request) (?:was|has been) flagged",
    re.IGNORECASE,
)
"""What providers say of a request that their policy forbids."""
SPENT = re.compile(
    r"insufficient_quota|billing_hard_limit_reached|billing_not_active|credit_balance_exhausted"
    r"|credit balance is too low|(?:spend|usage)_limit_(?:exceeded|reached)"
    r"|reached your specified API usage limits",
    re.IGNORECASE,
)
"""Of an account that may spend no more, whatever the status; 402 says it by itself."""
NO_CREDIT = (
    "the account has no credit left, or its limit of spending is reached: add some or raise it, and"
    " run again to go on"
)
REMEDIES = {
    401: "is the key right? models.{name}.key_env names its variable",
    402: NO_CREDIT,
    403: "the key may not use this model",
    404: "check models.{name}.model and models.{name}.base_url",
}
UNREACHED = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol", "ProxyError"})
"""What both SDKs' transport calls a server that nothing was sent to."""
CONNECT_SECONDS = 10.0
"""Longest wait for a server to take a connection; what it then needs to answer is another time."""
SHORTEST_KEY = 8
"""What is shorter is no secret, and would cut holes into every text."""
LATE = "no whole answer came in time"
CUT_OFF = frozenset({408, 504, *range(520, 525)})
"""Said by what stands before a server when that took too long: it may have worked all the same."""
_STATUSES: dict[int, TryStatus] = {
    429: "rate_limited",
    503: "overloaded",
    529: "overloaded",
    408: "server_error",
    409: "server_error",
}
_CODES: dict[object, TryStatus] = {
    "rate_limit_exceeded": "rate_limited",
    "server_overloaded": "overloaded",
}


class Fault(Exception):
    """One request without an answer, and what the server says that it used nevertheless.

    The text never holds a key. `usage_reported` is false where more may have been used.
    """

    def __init__(
        self,
        status: TryStatus,
        detail: str,
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
        is_overflow: bool = False,
        is_unreached: bool = False,
    ) -> None:
        super().__init__(mended(detail))
        self.usage = Usage()
        # An error status, or nobody there: nothing was worked on.
        self.usage_reported = is_unreached or http_status not in {None, 200, *CUT_OFF}
        self.status, self.http_status, self.retry_after = status, http_status, retry_after
        self.is_overflow, self.is_unreached = is_overflow, is_unreached

    @property
    def is_refusal(self) -> bool:
        """Whether the provider's policy forbids the request; OpenAI may say so in a 200."""
        is_said = self.status == "rejected" and self.http_status in {200, 400, 403}
        return is_said and REFUSED.search(str(self)) is not None

    def remedy(self, name: str) -> str | None:
        """What a person can do about the model `name` where another try cannot help."""
        is_said = self.status != "malformed" and self.http_status in {200, 400, 403, 429}
        is_spent = is_said and SPENT.search(str(self))
        told = NO_CREDIT if is_spent else REMEDIES.get(self.http_status or 0)
        return told and told.format(name=name)


UNREADABLE = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
)  # fmt: skip
"""What reading an answer raises that is not what the protocol promises."""


def malformed(error: Exception) -> Fault:
    """A 200 whose body is something else."""
    text = f"not what the protocol promises ({type(error).__name__}: {error})"
    return Fault("malformed", text[:200], http_status=200)


def failed(error: object) -> Fault:
    """A 200 that holds an error where an answer should be; its code says what it is.

    A code that nobody knows is a server's error: another try may mend it.
    """
    told = _told(error, key="")
    overflow = OVERFLOW.search(told) is not None
    status = _CODES.get(error.get("code") if isinstance(error, dict) else None, "server_error")
    if overflow or REFUSED.search(told):
        status = "rejected"
    return Fault(status, told or "failed", http_status=200, is_overflow=overflow)


def without_key(text: str, key: str) -> str:
    """A server may quote the key that it was sent, in any of its words, escaped as JSON may be."""
    return _spellings(key).sub("[left out]", text) if len(key) >= SHORTEST_KEY else text


@lru_cache(maxsize=64)
def _spellings(key: str) -> re.Pattern[str]:
    """The key as it is, and with what is no letter or digit in it written as JSON allows."""
    signs = (c if c.isalnum() else rf"\\*(?:{re.escape(c)}|u(?i:{ord(c):04x}))" for c in key)
    return re.compile("".join(signs))


@contextmanager
def as_faults(sdk: ModuleType, key: str) -> Iterator[None]:
    """Turn whatever an SDK raises, and whatever reading its answer raises, into Fault."""
    try:
        yield
    except sdk.APIStatusError as error:
        raise _of_status(error.status_code, error.response.headers, error.body, key) from None
    except sdk.APIConnectionError as error:
        raise _of_connection(error, is_late=isinstance(error, sdk.APITimeoutError)) from None
    except TimeoutError:  # ours (see `deadline`), where an SDK lets it through
        raise Fault("timeout", LATE) from None
    except (sdk.APIError, *UNREADABLE) as error:
        raise malformed(error) from None


def _of_connection(error: Any, *, is_late: bool) -> Fault:
    cause = error.__cause__ or error
    kind = type(cause).__name__
    if kind in UNREACHED:
        url = error.request.url  # without a user and password that it may hold
        where = f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "")
        return Fault("connection", f"nothing answers at {where} ({kind})", is_unreached=True)
    if is_late or isinstance(cause, TimeoutError):
        return Fault("timeout", LATE)
    return Fault("connection", f"the connection failed ({kind})")


def _of_status(code: int, headers: Mapping[str, str], body: object, key: str) -> Fault:
    told = _told(body, key)
    status = _STATUSES.get(code, "server_error" if code >= 500 else "rejected")
    overflow = code in {400, 413, 422, 500} and OVERFLOW.search(told) is not None
    return Fault(
        status,
        told or f"HTTP {code}",
        http_status=code,
        retry_after=retry_after(headers),
        is_overflow=overflow,
    )


def _told(body: object, key: str) -> str:
    """The server's words, one line; keys that servers quote are cut out."""
    error: Any = body.get("error", body) if isinstance(body, dict) else body
    parts = _said(error) if isinstance(error, dict) else [error]
    text = " ".join(p if isinstance(p, str) else json.dumps(p, default=str) for p in parts if p)
    text = without_key(" ".join(text.split()), key)
    return re.sub(r"\S*(?:sk-|key[-_=:])\S*", "[left out]", text)[:300]


def _said(error: dict[str, Any]) -> list[Any]:
    """What an error says, its code first: Anthropic has the finer one among the details."""
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    return [code, *(error.get(name) for name in ("code", "type", "message"))]


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a server asks to wait; null where it does not say or says nonsense."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:  # "-0000": of no known place, and yet in UTC
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
