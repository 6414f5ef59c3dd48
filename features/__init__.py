"""What a feature is, for training and for serving alike: Feast definitions, nothing else.

Importing a case's definitions imports Feast; `pipelines.stores.feast.load` makes that quick.
"""
