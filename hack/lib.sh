# lib.sh - what the commands in hack/ share: where things are, what is installed, how it is built.
# Sourced by POSIX sh scripts that have set -eu.
# shellcheck shell=sh disable=SC2034
top=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/frontdesk

say() {
    printf '\n== %s\n' "$*" >&2
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "root or sudo is needed to run: $*"
    fi
}

# Packages of Debian 12, by what they are for.
build_packages="gcc cmake ninja-build pkg-config libcurl4-openssl-dev libssl-dev libyaml-dev libjson-c-dev
 libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libexpat1-dev zlib1g-dev libzstd-dev libsqlite3-dev libpq-dev libcunit1-dev"
quickstart_packages="$build_packages radosgw ceph-mon ceph-osd ceph-common python3 python3-venv openssl ca-certificates"
test_packages="$quickstart_packages postgresql"
lint_packages="$build_packages clang-14 clang-format-14 clang-tidy-14 cppcheck shellcheck python3"
bench_packages="$test_packages nginx-light wrk"

# install PACKAGES...: only what is missing, without starting any service.
install() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing from Debian:$missing"
    guard=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        guard=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
        as_root chmod 755 "$guard"
    fi
    status=0
    # shellcheck disable=SC2086 # a list of names, to be split
    { as_root apt-get update -q -o Acquire::Retries=3 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 $missing; } >&2 || status=$?
    [ -z "$guard" ] || as_root rm -f "$guard"
    return "$status"
}

# Prints the folder of a Python environment with the real clients, made once per list of versions.
python_clients() {
    key=$(sha256sum <"$top/tests/env/requirements.txt" | cut -c1-16)
    venv=$cache/python-$key
    if [ ! -e "$venv/complete" ]; then
        say "installing PyIceberg and boto3 into $venv"
        mkdir -p "$cache"
        rm -rf "$venv"
        "$(python_with_venv)" -m venv "$venv" >&2
        "$venv/bin/pip" install -q --disable-pip-version-check --retries 5 -r "$top/tests/env/requirements.txt" >&2 || return 1
        touch "$venv/complete"
    fi
    echo "$venv"
}

# The python3 on PATH when it can make environments, else Debian's.
python_with_venv() {
    if python3 -c 'import venv, ensurepip' 2>/dev/null; then
        echo python3
    else
        echo /usr/bin/python3
    fi
}

# build PRESET [TARGET...]
build() {
    preset=$1
    shift
    say "building ($preset)"
    (cd "$top" && cmake --preset "$preset" -DFRONTDESK_WERROR="$([ -n "${CI:-}" ] && echo ON || echo OFF)" >/dev/null &&
        cmake --build --preset "$preset" ${1:+--target "$@"} >&2)
}
