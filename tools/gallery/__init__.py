"""Results of machines that anybody may add: docs/results/NAME/ with records, pages made of them, and an index."""
