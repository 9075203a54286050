"""The migrations of Postroom's tables. They ship with the package and run by themselves."""
