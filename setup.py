"""What setup.cfg cannot say: the project template ships as a folder of the package."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["fraiseql", "fraiseql.*"]), "fraiseql.project_template"],
    package_dir={"fraiseql.project_template": "project_template"},
)
