"""The speed-vs-accuracy chart."""
