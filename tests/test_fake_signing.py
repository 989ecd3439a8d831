"""The fake's check of who calls. Vectors computed from the venue's documentation."""

import pytest
from fake_on_hand import signature

from botproof.errors import VenueError
from botproof.fakes.bitget.signing import Key, authenticate, keyring, login, sign

SECRET = "secret0123456789"
KEY = Key("main", "k", SECRET, "p")
RING = keyring([KEY])
NOW_MS = 1_700_000_000_000
PATH = "/api/v2/mix/account/account"


def headers(target: str = PATH, method: str = "GET", body: str = "", **changes: str) -> dict[str, str]:
    stamp = changes.get("access-timestamp", str(NOW_MS))
    named = {
        "access-key": "k",
        "access-sign": signature(SECRET, stamp + method + target + body),
        "access-timestamp": stamp,
        "access-passphrase": "p",
    }
    return named | changes


def code(named: dict[str, str], target: str = PATH, method: str = "GET", body: bytes = b"") -> str:
    with pytest.raises(VenueError) as refused:
        authenticate(RING, named, method=method, target=target, body=body, now_ms=NOW_MS)
    return refused.value.code


@pytest.mark.parametrize(
    ("prehash", "expected"),
    [
        (
            "1700000000000GET/api/v2/mix/account/account?marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT",
            "FvFlX2JutmLs2BSxnx8vXDPD4AFFiNHwVNNb63crXgA=",
        ),
        (
            (
                "1700000000000POST/api/v2/mix/order/cancel-order"
                '{"symbol":"BTCUSDT","productType":"USDT-FUTURES","orderId":"1"}'
            ),
            "nIDejv3FnB7WN/+X+sHgyMIUyAwfZZUo999ydNuguY0=",
        ),
        ("1700000000000GET/api/v2/public/time", "59naUorCqosxrMubjrInTq7zBK+ZNOjHwNtQtCFDX0o="),
    ],
)
def test_signature_is_the_documented_one(prehash: str, expected: str) -> None:
    assert sign(SECRET, prehash.encode()) == expected


def test_query_is_verified_as_received() -> None:
    target = f"{PATH}?symbol=BTCUSDT&productType=USDT-FUTURES&clientOid=a%2Cb"
    assert authenticate(RING, headers(target), method="GET", target=target, body=b"", now_ms=NOW_MS) is KEY


def test_query_signed_decoded_and_sent_encoded_passes() -> None:
    named = headers(f"{PATH}?clientOid=a,b")
    target = f"{PATH}?clientOid=a%2Cb"
    assert authenticate(RING, named, method="GET", target=target, body=b"", now_ms=NOW_MS) is KEY


def test_query_in_another_order_than_signed_is_refused() -> None:
    assert code(headers(f"{PATH}?a=1&b=2"), f"{PATH}?b=2&a=1") == "40009"


def test_body_is_verified_byte_for_byte() -> None:
    named = headers(PATH, "POST", '{"a":1}')
    assert authenticate(RING, named, method="POST", target=PATH, body=b'{"a":1}', now_ms=NOW_MS) is KEY
    assert code(named, method="POST", body=b'{"a": 1}') == "40009"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("access-key", "40001"), ("access-sign", "40002"), ("access-timestamp", "40005"), ("access-passphrase", "40011")],
)
def test_missing_header_is_named(missing: str, expected: str) -> None:
    named = headers()
    del named[missing]
    assert code(named) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"access-key": "nobody"}, "40037"),
        ({"access-sign": ""}, "40003"),
        ({"access-sign": "AAAA"}, "40009"),
        ({"access-sign": "\u00e9"}, "40009"),
        ({"access-timestamp": "soon"}, "40005"),
        ({"access-timestamp": "1.7e12"}, "40005"),
        ({"access-timestamp": str(NOW_MS - 30_001)}, "40008"),
        ({"access-timestamp": str(NOW_MS + 30_001)}, "40008"),
        ({"access-passphrase": "P"}, "40012"),
    ],
)
def test_wrong_credential_is_refused_with_its_code(changes: dict[str, str], expected: str) -> None:
    assert code(headers(**changes)) == expected


@pytest.mark.parametrize("off_ms", [-30_000, 30_000])
def test_clock_off_by_thirty_seconds_still_passes(off_ms: int) -> None:
    named = headers(**{"access-timestamp": str(NOW_MS + off_ms)})
    assert authenticate(RING, named, method="GET", target=PATH, body=b"", now_ms=NOW_MS) is KEY


def claim(stamp: str = "1700000000", **changes: str) -> dict[str, str]:
    return {
        "apiKey": "k",
        "passphrase": "p",
        "timestamp": stamp,
        "sign": signature(SECRET, f"{stamp}GET/user/verify"),
    } | changes


@pytest.mark.parametrize("stamp", ["1700000000", "1700000000000", "1700000030", "1699999970"])
def test_socket_login_takes_seconds_and_milliseconds(stamp: str) -> None:
    assert login(RING, claim(stamp), NOW_MS) is KEY


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (claim(apiKey="nobody"), "30011"),
        ({}, "30011"),
        (claim(passphrase="x"), "30012"),
        (claim("17000000000"), "30013"),
        (claim("now"), "30013"),
        (claim("1699999969"), "30014"),
        (claim("1700000030001"), "30014"),
        (claim(sign="x"), "30015"),
    ],
)
def test_socket_login_is_refused_with_its_code(claimed: dict[str, str], expected: str) -> None:
    with pytest.raises(VenueError) as refused:
        login(RING, claimed, NOW_MS)
    assert refused.value.code == expected


def test_key_shows_neither_secret_nor_passphrase() -> None:
    shown = repr(Key("main", "k", "hidden-secret", "hidden-passphrase"))
    assert "hidden" not in shown
    assert "'k'" in shown


def test_two_keys_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="each api_key once"):
        keyring([KEY, KEY])
