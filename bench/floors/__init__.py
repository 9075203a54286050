"""What the figures are read against: the least that could do the same work, in processes of their own."""
