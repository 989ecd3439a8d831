"""The promises of the envelope, each a fold over the tape."""
