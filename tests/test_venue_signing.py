"""Signatures are what the documentation says, and a key shows itself to nobody."""

import pytest

from botproof.venue.signing import Credentials, login_frame, sign, signed_headers

SECRET = "secret0123456789"
CANCEL_BODY = '{"symbol":"BTCUSDT","productType":"USDT-FUTURES","orderId":"1"}'
KEY = Credentials(api_key="bg_0123456789", secret=SECRET, passphrase="open sesame")


@pytest.mark.parametrize(
    ("prehash", "signature"),
    [
        (
            "1700000000000GET/api/v2/mix/account/account?marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT",
            "FvFlX2JutmLs2BSxnx8vXDPD4AFFiNHwVNNb63crXgA=",
        ),
        (
            "1700000000000POST/api/v2/mix/order/cancel-order" + CANCEL_BODY,
            "nIDejv3FnB7WN/+X+sHgyMIUyAwfZZUo999ydNuguY0=",
        ),
        ("1700000000000GET/api/v2/public/time", "59naUorCqosxrMubjrInTq7zBK+ZNOjHwNtQtCFDX0o="),
    ],
)
def test_known_vectors(prehash: str, signature: str) -> None:
    assert sign(SECRET, prehash) == signature


def test_one_changed_byte_changes_the_signature() -> None:
    assert sign(SECRET, "1700000000001GET/api/v2/public/time") != "59naUorCqosxrMubjrInTq7zBK+ZNOjHwNtQtCFDX0o="


def test_headers_sign_time_method_target_and_body_as_sent() -> None:
    body = CANCEL_BODY.encode()
    headers = signed_headers(
        KEY, timestamp_ms=1_700_000_000_000, method="POST", target="/api/v2/mix/order/cancel-order", body=body
    )
    assert headers == {
        "ACCESS-KEY": "bg_0123456789",
        "ACCESS-SIGN": "nIDejv3FnB7WN/+X+sHgyMIUyAwfZZUo999ydNuguY0=",
        "ACCESS-TIMESTAMP": "1700000000000",
        "ACCESS-PASSPHRASE": "open sesame",
    }


def test_login_is_signed_over_seconds_and_the_verify_path() -> None:
    assert login_frame(KEY, timestamp_s=1_538_054_050) == {
        "op": "login",
        "args": [
            {
                "apiKey": "bg_0123456789",
                "passphrase": "open sesame",
                "timestamp": "1538054050",
                "sign": sign(SECRET, "1538054050GET/user/verify"),
            }
        ],
    }


def test_a_key_hides_its_secret_and_passphrase() -> None:
    shown = f"{KEY!r} {KEY!s}"
    assert "bg_0" in shown
    assert not any(word in shown for word in (SECRET, "open sesame", KEY.api_key))
