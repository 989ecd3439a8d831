"""The no-trade judge: whether a window of a bot's files and of the venue's record shows that nothing was traded."""
