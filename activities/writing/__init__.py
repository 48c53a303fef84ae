"""A record is written down and sent: forms, drafts, evidence, several at once, the doubts asked before sending."""
