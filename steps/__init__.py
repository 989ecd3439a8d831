"""The vocabulary of the features, one module a noun; installed as `botproof.steps`."""
