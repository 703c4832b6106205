"""``python -m fraiseql template`` prints where ``startproject --template`` finds the template."""

import argparse
from pathlib import Path

HERE = Path(__file__).resolve().parent


def template() -> Path:
    """Return the project template's folder: inside an installed package, beside a checkout's."""
    inside, beside = HERE / "project_template", HERE.parent / "project_template"
    return inside if inside.is_dir() else beside


def main() -> None:
    """Answer the command line."""
    parser = argparse.ArgumentParser(prog="python -m fraiseql")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("template", help="print the path of the project template")
    parser.parse_args()
    print(template())  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    main()
