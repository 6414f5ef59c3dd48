"""Feeds of which several cases are made; a case that is alone has its feeds in its file."""
