"""Experiments about the suite, with their figures."""
