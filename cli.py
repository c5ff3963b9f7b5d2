"""`python cli.py` is `archspec`, from a checkout that is not installed."""

from archspec.commands.main import run

if __name__ == "__main__":
    run()
