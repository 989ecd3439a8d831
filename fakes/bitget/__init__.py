"""A fake of Bitget's classic v2 venue for USDT perpetuals: an exchange without I/O, and faces around it."""
