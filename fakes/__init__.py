"""Fakes of the venue, and bots that break one promise each."""
