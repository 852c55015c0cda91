#!/bin/sh
# Install everything into this folder: uv into .uv/, the project's packages into .venv/.
#
# Needs a Python of 3.11 or newer and nothing else. Nothing outside this folder is changed, and a
# second run with nothing to do takes a second.
set -eu
cd "$(dirname "$0")/.."

UV_PIN=0.13.9
UV_LEAST_MINOR=8 # of 0.x; the same as [tool.uv] required-version in pyproject.toml

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "setup: $*"
    exit 1
}

new_enough() {
    "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if new_enough "$candidate"; then
            # A launcher (pyenv, update-alternatives) may stand in front: ask for the real one.
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "no Python 3.11 or newer was found. Install one, or name it: make setup PYTHON=/path/to/python3
setup: Python 3.11 以降が見つかりません。インストールするか、PYTHON で場所を指定してください。"
}

uv_works() {
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#uv }
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    [ "$major" -gt 0 ] 2>/dev/null || [ "$minor" -ge "$UV_LEAST_MINOR" ] 2>/dev/null
}

install_uv() {
    say "setup: installing uv $UV_PIN into .uv/"
    rm -rf .uv
    # Debian's python3 may lack ensurepip, and then venv leaves half an environment behind.
    if "$1" -m venv .uv >/dev/null 2>&1 && [ -x .uv/bin/pip ]; then
        .uv/bin/python -m pip install --quiet "uv==$UV_PIN" || fail "uv could not be installed; check the network."
        return
    fi
    rm -rf .uv
    "$1" -m pip --version >/dev/null 2>&1 ||
        fail "this Python has neither venv nor pip. Install python3-venv (or uv), then run again.
setup: venv も pip もありません。python3-venv(または uv)をインストールしてください。"
    "$1" -m pip install --quiet --target .uv/lib "uv==$UV_PIN" || fail "uv could not be installed; check the network."
    mkdir -p .uv/bin
    ln -s ../lib/bin/uv .uv/bin/uv
}

find_uv() {
    if uv_works uv; then
        command -v uv
    else
        uv_works .uv/bin/uv || install_uv "$1"
        printf '%s\n' .uv/bin/uv
    fi
}

python=$(find_python)
uv=$(find_uv "$python")
say "setup: packages (uv sync, $("$python" -c 'import platform; print("Python", platform.python_version())'))"
# Compiled once here, sixteen processes start in half the time, also where Python may write nothing.
set -- sync --frozen --no-python-downloads --compile-bytecode
# An environment that works keeps its Python.
new_enough .venv/bin/python || set -- "$@" --python "$python"
exec "$uv" "$@"
