"""What is special about a case's features: which of them a model may ask for.

The features themselves are named once, in the dbt YAML of the gold tables, and their keys and TTL
in the use case: `pipelines.stores.feast_views` makes Feast's views of both.
"""
