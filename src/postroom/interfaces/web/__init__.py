"""The door for people: pages for officers, and for the developers of services."""
