"""Who the client is, and how it proves it.

A request is signed over `timestamp + METHOD + path[?query] + body`, each exactly as sent; a socket's login over
`timestamp + "GET" + "/user/verify"`. The signature is base64(HMAC-SHA256(secret, prehash)). (documented)
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """An API key; its text names the key's first characters and nothing else."""

    api_key: str
    secret: str
    passphrase: str

    def __repr__(self) -> str:
        return f"Credentials(api_key='{self.api_key[:4]}...')"


def sign(secret: str, prehash: str | bytes) -> str:
    """The signature of `prehash` under `secret`."""
    message = prehash.encode() if isinstance(prehash, str) else prehash
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


def signed_headers(
    credentials: Credentials, *, timestamp_ms: int, method: str, target: str, body: bytes = b""
) -> dict[str, str]:
    """The ACCESS headers of one request; `target` is path and query as they stand on the request line."""
    prehash = f"{timestamp_ms}{method}{target}".encode() + body
    return {
        "ACCESS-KEY": credentials.api_key,
        "ACCESS-SIGN": sign(credentials.secret, prehash),
        "ACCESS-TIMESTAMP": str(timestamp_ms),
        "ACCESS-PASSPHRASE": credentials.passphrase,
    }


def login_frame(credentials: Credentials, *, timestamp_s: int) -> dict[str, object]:
    """The login of a private socket; the venue takes seconds and milliseconds, clients send seconds (live)."""
    return {
        "op": "login",
        "args": [
            {
                "apiKey": credentials.api_key,
                "passphrase": credentials.passphrase,
                "timestamp": str(timestamp_s),
                "sign": sign(credentials.secret, f"{timestamp_s}GET/user/verify"),
            }
        ],
    }
