"""What the suite itself costs: exports, the loop, start-up, reports and the page (docs/speed.md)."""
