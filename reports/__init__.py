"""Reports of records: tables, the chart, the page and comparisons of runs."""
