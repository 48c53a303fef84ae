"""All records of a subtree: filters, columns, saved filters, the file of what is shown."""
