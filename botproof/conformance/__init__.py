"""Is the fake one venue, however it is met? One scripted exchange through every carrier, compared byte for byte.

The exchange is data (`script`): signed calls, conversations on sockets, a market that moves, and time that passes only
when a clock is set by hand (`hand`). A carrier brings it to the fake (`carriers`): by a function, over the network in
memory, over loopback. What comes back is a transcript (`transcript`), and equal exchanges have equal digests.

`cadences` asks the other half: does it change a verdict how often the fake pushes?
"""
