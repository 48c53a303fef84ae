"""What the superior does with what was sent: the queue, returning, correcting, corrections, merging."""
