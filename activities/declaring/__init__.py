"""Levels at a date (kê khai): the list and the table for many indicators at once."""
