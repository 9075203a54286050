"""The ways out: each channel checks what it would send, and sends it."""
