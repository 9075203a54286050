"""`python -m notify_sandbox` is `notify-sandbox`."""

from notify_sandbox.cli import main

main()
