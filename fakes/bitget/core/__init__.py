"""The exchange without I/O: contract, orders, matching, accounts. Values in, values out; time is handed in."""
