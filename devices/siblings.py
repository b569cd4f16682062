"""The processes of sessions that are open beside one another, by the numbers that their device has for them.

In a container a device's numbers are not this system's, so each session's process finds out its own and the sweep tells
it the others'. A process holds one session, so these stand once a process.
"""

own: set[int] = set()
others: set[int] = set()
