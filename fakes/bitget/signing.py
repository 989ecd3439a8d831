"""Who calls: the venue's check of keys, clocks and signatures, written from its documentation.

The signature is base64(HMAC-SHA256(secret, prehash)). Over REST the prehash is timestamp + METHOD + path[?query] +
body, byte for byte as received; clients that sort, percent-encode or sign the decoded query all pass on the venue
(captured), so the query is tried as received and then percent-decoded (inferred to be enough). On a socket it is
timestamp + "GET/user/verify", the timestamp in seconds or in milliseconds (live).

Nothing here is shared with the client under `botproof/venue`: a common mistake would hide itself.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from botproof.errors import VenueError

TOLERANCE_MS = 30_000  # documented; taken both ways (inferred for timestamps ahead)
_DIGITS = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key of an account. `permissions` out of read, trade, withdraw."""

    account: str
    api_key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    permissions: frozenset[str] = frozenset({"read", "trade"})


Keyring = Mapping[str, Key]


def keyring(keys: Sequence[Key]) -> Keyring:
    """The keys by name; two keys of one name are a mistake of the caller."""
    ring = {key.api_key: key for key in keys}
    if len(ring) != len(keys):
        raise ValueError(f"each api_key once, found {sorted(key.api_key for key in keys)}")
    return ring


def sign(secret: str, prehash: bytes) -> str:
    """The signature of `prehash`."""
    return base64.b64encode(hmac.digest(secret.encode(), prehash, hashlib.sha256)).decode()


def is_signed(secret: str, prehash: bytes, signature: str) -> bool:
    return hmac.compare_digest(sign(secret, prehash).encode(), signature.encode())


def authenticate(
    ring: Keyring, headers: Mapping[str, str], *, method: str, target: str, body: bytes, now_ms: int
) -> Key:
    """The key of a signed call; `headers` by lower-case name.

    Raises `VenueError` in this order (inferred): headers present, key known, timestamp, passphrase, signature.
    """
    api_key, signature, stamp, passphrase = _credentials(headers)
    key = ring.get(api_key)
    if key is None:
        raise VenueError("40037", "Apikey does not exist")
    if not _DIGITS.fullmatch(stamp):
        raise VenueError("40005", "Invalid ACCESS_TIMESTAMP")
    if abs(now_ms - int(stamp)) > TOLERANCE_MS:
        raise VenueError("40008", "Request timestamp expired")
    if not hmac.compare_digest(passphrase.encode("latin-1", "replace"), key.passphrase.encode()):
        raise VenueError("40012", "apikey/password is incorrect")
    if not _rest_signature_holds(key, stamp + method.upper(), target, body, signature):
        raise VenueError("40009", "sign signature error")
    return key


def _credentials(headers: Mapping[str, str]) -> tuple[str, str, str, str]:
    if not (api_key := headers.get("access-key", "")):
        raise VenueError("40001", "ACCESS_KEY cannot be empty")
    signature = headers.get("access-sign")
    if signature is None:
        raise VenueError("40002", "ACCESS_SIGN cannot be empty")
    if not signature:
        raise VenueError("40003", "Signature cannot be empty")
    if not (stamp := headers.get("access-timestamp", "")):
        raise VenueError("40005", "Invalid ACCESS_TIMESTAMP")
    if not (passphrase := headers.get("access-passphrase", "")):
        raise VenueError("40011", "ACCESS_PASSPHRASE cannot be empty")
    return api_key, signature, stamp, passphrase


def _rest_signature_holds(key: Key, head: str, target: str, body: bytes, signature: str) -> bool:
    received = target.encode("latin-1", "replace")
    forms = (received, unquote_to_bytes(received)) if b"%" in received else (received,)
    return any(is_signed(key.secret, head.encode() + form + body, signature) for form in forms)


def login(ring: Keyring, claim: Mapping[str, str], now_ms: int) -> Key:
    """The key that logs in on a socket; raises `VenueError` with the socket's codes 30011 to 30015."""
    key = ring.get(claim.get("apiKey", ""))
    if key is None:
        raise VenueError("30011", "Invalid ACCESS_KEY")
    stamp = claim.get("timestamp", "")
    if not (_DIGITS.fullmatch(stamp) and len(stamp) in (10, 13)):
        raise VenueError("30013", "Invalid ACCESS_TIMESTAMP")
    if _is_stale(stamp, now_ms):
        raise VenueError("30014", "Request timestamp expired")
    if not hmac.compare_digest(claim.get("passphrase", "").encode(), key.passphrase.encode()):
        raise VenueError("30012", "Invalid ACCESS_PASSPHRASE")
    if not is_signed(key.secret, f"{stamp}GET/user/verify".encode(), claim.get("sign", "")):
        raise VenueError("30015", "Invalid sign")
    return key


def _is_stale(stamp: str, now_ms: int) -> bool:
    claimed_ms = int(stamp) * (1000 if len(stamp) == 10 else 1)  # noqa: PLR2004  (ten digits are seconds)
    return abs(now_ms - claimed_ms) > TOLERANCE_MS
