"""What people read: the table, the chart, the page, comparisons."""
