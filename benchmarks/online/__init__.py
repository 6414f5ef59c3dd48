"""What g6 and g7 share: states of ten features, and the feature stores that hold them online."""
