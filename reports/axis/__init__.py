"""Curves along an axis: the batch of a target, or the resolution of a network."""
