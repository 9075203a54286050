"""The heart of Postroom. Read it as the life of a notification: create, send, settle, act, find, withdraw."""
