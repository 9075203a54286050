"""The fire test: everything that can go wrong, by a seed, and a count of what came of it."""
