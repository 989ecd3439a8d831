"""Redaction."""

from botproof.evidence.redact import redact


def test_every_occurrence_of_every_secret_is_masked() -> None:
    assert redact("a key=k1 and k1k2", ["k1", "k2"]) == "a key=[redacted] and [redacted][redacted]"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert redact("secret-long", ["secret", "secret-long"]) == "[redacted]"


def test_an_empty_secret_masks_nothing() -> None:
    assert redact("text", ["", ""]) == "text"
