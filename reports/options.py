"""Defaults of the options of `python -m reports`."""

BASELINE = "EfficientNet"  # the family that speed-ups compare with
