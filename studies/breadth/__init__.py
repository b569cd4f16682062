"""Which networks of timm run on which targets, and why the others don't."""
