"""Kill rounds: the server is killed in the middle of purchases, plans and webhooks; nobody mends anything by hand.

``make torture`` runs 200 rounds on each database. A round: a server that will kill itself (SIGKILL) at a named
point, a purchase or a plan with what follows, a fresh server in its place as an operator's supervisor would
start it. Then the database must come to agree with the stand-in's ledger by itself.
"""
