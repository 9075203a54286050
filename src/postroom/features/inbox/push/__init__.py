"""Popups while no page is open: subscriptions of browsers, and what is pushed to them.

What is new on screens is followed (`follow.py`), put into words (`message.py`) and sent (`dispatch.py`).
"""
