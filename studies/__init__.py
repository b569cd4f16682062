"""Experiments about the product, with their figures."""
