"""How the driver of a fleet grows with the number of devices: its work a visit, its memory, its records a second."""
