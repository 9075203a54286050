"""The pages: a mailbox for whoever tests, and the levers for whoever develops."""
