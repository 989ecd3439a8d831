"""The third face: whoever tests a bot, in any language, looks behind the venue and scripts it, over HTTP.

asked      the one JSON object of a call, read strictly
shown      what the exchange holds, as JSON
scripts    what the market is made to do
nearest    which call in the journal came closest to what was asked for
calls      the calls themselves: a request in, an answer out, no I/O
face       HTTP around them, beside the venue's own faces
"""
