"""What decoders raise for data that they can't read."""

import msgspec

# Data that is nested deeper than Python's stack is unreadable as well.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
