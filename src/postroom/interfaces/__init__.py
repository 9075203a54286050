"""The doors: the API, the pages and the worker. They parse, authorise, and call one feature."""
