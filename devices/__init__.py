"""Where an artifact runs: the targets, one module a runtime, and what the hardware was doing meanwhile."""
