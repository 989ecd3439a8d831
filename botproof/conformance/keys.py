"""Credentials as they should be, and each way in which they can be wrong."""

from dataclasses import replace

from botproof.fakes.bitget.signing import Key
from botproof.venue.signing import Credentials, login_frame, signed_headers

_OUT_OF_DATE_US = 31_000_000  # beyond what the venue tolerates, either way
_AWAY_US = {"stale": -_OUT_OF_DATE_US, "ahead": _OUT_OF_DATE_US}


def call_headers(key: Key, spoilt: str, now_us: int, *, method: str, target: str, body: bytes) -> dict[str, str]:
    """The headers of a signed call; `spoilt` is empty or one of signature, no signature, stale, ahead, time, ..."""
    headers = signed_headers(
        _credentials(key, spoilt),
        timestamp_ms=(now_us + _AWAY_US.get(spoilt, 0)) // 1000,
        method=method,
        target=target,
        body=body,
    )
    if spoilt == "no signature":
        del headers["ACCESS-SIGN"]
    if spoilt == "time":
        headers["ACCESS-TIMESTAMP"] = "soon"
    return headers


def login(key: Key, spoilt: str, now_us: int) -> dict[str, object]:
    """The login of a socket, spoilt as a call is."""
    frame = login_frame(_credentials(key, spoilt), timestamp_s=(now_us + _AWAY_US.get(spoilt, 0)) // 1_000_000)
    if spoilt == "time":
        arguments = frame["args"]
        assert isinstance(arguments, list)
        arguments[0]["timestamp"] = "soon"
    return frame


def _credentials(key: Key, spoilt: str) -> Credentials:
    credentials = Credentials(api_key=key.api_key, secret=key.secret, passphrase=key.passphrase)
    match spoilt:
        case "key":
            return replace(credentials, api_key="bg_nobody")
        case "signature":
            return replace(credentials, secret="nobody's")  # noqa: S106 -- made to be refused
        case "passphrase":
            return replace(credentials, passphrase="nobody's")  # noqa: S106 -- made to be refused
    return credentials
