"""May this bot be let near real money, and can you prove it?"""

__version__ = "0.1.0"
