"""Per-operator times, by each runtime's own profiler."""
