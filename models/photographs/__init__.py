"""Photographs of a user's folder: found, labelled, decoded, and prepared as each network's official evaluation does."""
