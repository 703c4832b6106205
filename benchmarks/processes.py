"""Processor time and memory of a process and its children, from /proc (Linux)."""

import os
from pathlib import Path

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


def cpu_ms(pid: int) -> float:
    """Return the processor time the tree below ``pid`` has used; ended children count, threads too."""
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted from the state, field 3.
    ticks = sum(sum(int(value) for value in fields[11:15]) for fields in _tree(pid).values())
    return ticks * _TICK_MS


def resident_bytes(pid: int) -> int:
    """Return the resident memory of the tree below ``pid``; pages they share count once each."""
    return sum(_resident(member) for member in _tree(pid))


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def _tree(root: int) -> dict[int, list[str]]:
    everything = dict(_stat())
    members = {root: everything[root]}
    grown = True
    while grown:
        children = {
            pid: fields
            for pid, fields in everything.items()
            if pid not in members and int(fields[1]) in members
        }
        members.update(children)
        grown = bool(children)
    return members


def _stat() -> list[tuple[int, list[str]]]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        # The command in brackets may hold anything, brackets and spaces too.
        found.append((int(entry.name), text.rpartition(")")[2].split()))
    return found
