"""<notification-bell>, and the one script that it is served as."""
