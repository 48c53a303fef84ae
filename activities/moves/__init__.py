"""A unit moves to another superior, and its records' totals with it."""
