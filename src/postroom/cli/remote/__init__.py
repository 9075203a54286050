"""The commands that ask a running Postroom, over HTTP, with an API key."""
