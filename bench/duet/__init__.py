"""The duet: two variants of each network in adjacent visits of one sweep, and the ratio fitted within it."""
