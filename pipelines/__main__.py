"""`python -m pipelines`: the command line, as Airflow and the tests start it."""

from pipelines.cli.main import main

if __name__ == "__main__":
    main()
