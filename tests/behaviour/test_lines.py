"""
Each numbered line of the list of behaviours has a test that carries its number, or is owed to later work.

The list is the project's own, made from the specifications and from the advisories of its peers. A module
here tests one section of it; its ``LATER`` says which of the section's lines wait, and for what.
"""

import ast
import re
from pathlib import Path

ADVISORIES = [
    "cve_2024_47082", "cve_2025_22151", "cve_2026_35523", "cve_2026_35526", "cve_2026_47707",
    "strawberry_0_316", "cve_2019_1020015", "cve_2022_46792", "cve_2023_27588", "hasura_2_45_3",
    "cve_2026_54698", "hasura_1_3_3", "cve_2023_26144", "cve_2025_32031", "cve_2025_32032",
    "cve_2025_32034", "cve_2025_32380", "ghsa_q2f9", "ghsa_3j43", "cve_2026_34573", "ghsa_9q82",
    "ghsa_x4r7", "graphene_django_154", "cve_2026_5423", "cve_2026_92681", "cve_2026_92682",
    "cve_2026_80223", "cve_2026_81643", "cve_2026_81636", "cve_2026_81633", "cve_2026_78693",
    "cve_2026_71214", "cve_2026_53539", "supabase_grants",
]  # fmt: skip
LINES = [
    *(str(number) for number in range(1, 35)),
    *(f"o{number}" for number in range(1, 18)),
    *(f"t{number}" for number in range(1, 10)),
    *ADVISORIES,
]
# A test's name begins with the lines it proves: test_12_..., test_o10_..., test_cve_2025_32031_and_...
_NUMBER = r"\d{1,2}|[ot]\d{1,2}"
_NAMED = "|".join(ADVISORIES)
_TEST = re.compile(rf"test_((?:{_NUMBER}|{_NAMED})(?:_and_(?:{_NUMBER}|{_NAMED}))*)_[a-z]")


def test_each_line_has_a_test_or_waits_for_later_work() -> None:
    tested: set[str] = set()
    later: dict[str, str] = {}
    for module in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(module.read_text())
        tested |= {line for name in _functions(tree) for line in _lines(name)}
        later |= _later(tree)

    assert sorted(tested | later.keys()) == sorted(LINES)
    assert sorted(tested & later.keys()) == []


def _functions(tree: ast.Module) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds)]


def _lines(name: str) -> list[str]:
    found = _TEST.match(name)
    return found[1].split("_and_") if found else []


def _later(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LATER":
            listed: dict[str, str] = ast.literal_eval(node.value)
            return listed
    return {}
