"""The signed client of Bitget USDT perpetuals (classic v2), written from the venue's documentation.

It knows nothing of the fake: the two meet on the wire.
"""
