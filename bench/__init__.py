"""How it is measured: the protocol, the one measuring loop, records, and the sweep."""
