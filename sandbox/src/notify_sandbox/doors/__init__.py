"""The ways in: Notify's own API, the sandbox's, and its pages."""
