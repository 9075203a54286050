"""The HTTP API, as the specification has it."""
