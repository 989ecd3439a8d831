"""The bots that the harness drives: the house's own reference bot, and later the drivers of other people's."""
