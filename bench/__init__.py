"""The measures of Postroom, each beside a floor of the same run: see `python -m bench --help`."""
