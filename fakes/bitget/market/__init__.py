"""Markets for the exchange: price paths and books, drawn from a seed and moved by script."""
