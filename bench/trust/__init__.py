"""What counts, what it comes to, and whether it is believed."""
