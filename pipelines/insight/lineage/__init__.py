"""Lineage: which column comes from which, and which version was made of which.

The journal (`ops.*`) is the single source of truth about versions; OpenLineage events are a copy
for others. Columns are followed through the code itself: dbt's compiled SQL, the feeds, Feast's
definitions and the model's inputs. This room looks at stages from outside: none imports it.
"""
