"""The fake venue of a scenario, as pytest hands it to whoever asks."""

import pytest

from .venue import ACCOUNT, HOST, PORT, FakeVenue, OpenFake, derived_seed, open_fake

__all__ = ["ACCOUNT", "HOST", "PORT", "FakeVenue", "OpenFake", "derived_seed", "fake_bitget", "open_fake"]


@pytest.fixture
def fake_bitget() -> OpenFake:
    """Opens a fake venue: `fake_bitget(clock=..., seed=..., deposit=..., price=...)`."""
    return open_fake
