# Sets PYTHON to an interpreter that is new enough and can make virtual environments; sourced by the
# programs beside it. FRAISEQL_PYTHON names one to use instead.

PYTHON=
without_venv=
for candidate in ${FRAISEQL_PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        PYTHON=$candidate
        break
    fi
    without_venv=${without_venv:-$candidate}
done

if [ -z "$PYTHON" ] && [ -n "$without_venv" ]; then
    echo "$without_venv cannot make virtual environments: its modules venv and ensurepip are missing." >&2
    echo "On Debian and Ubuntu: apt-get install python3-venv. Then run this again." >&2
    exit 1
elif [ -z "$PYTHON" ]; then
    echo "Python 3.11 or newer is needed, and none was found on PATH." >&2
    echo "Install one (https://www.python.org/downloads/), or set FRAISEQL_PYTHON to its path." >&2
    exit 1
fi
