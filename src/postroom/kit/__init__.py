"""The tools that the rest is built with. They know nothing of notifications."""
