"""The deeds of Postroom. Higher features use lower ones; only a feature imports its own store."""
