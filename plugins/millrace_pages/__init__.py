"""The pages that `plugins/millrace.py` shows inside Airflow's UI.

A page is a module with a `PAGE` (its routes and the pure functions that shape its rows) and a
template; `app.PAGES` lists them. SQL is in `queries`, Delta files are read in `quarantined`.
"""
