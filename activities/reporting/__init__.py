"""Period reports: what is due, sent and accepted, who is late, reminders, rates."""
