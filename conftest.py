"""In a checkout the top-level folders answer to the names they are installed under."""

from pathlib import Path

import botproof

root = str(Path(__file__).parent)
if root not in botproof.__path__:
    botproof.__path__.append(root)

pytest_plugins = ["botproof.plugin"]
