"""A new use case from somebody's own table: all its files, proposed from the data, to be edited."""
