#!/bin/sh
# Which lock this machine takes and which Python: `platform.sh lock` prints the lock's folder,
# `platform.sh python [INTERPRETER]` the interpreter, `platform.sh reason` both in a sentence.
# What is missing goes to standard error, with exit code 1.
set -eu

fail() {
  echo "$*" >&2
  exit 1
}

# TFX 1.21's libraries for Linux need glibc 2.39; TFX 1.16's exist for Python 3.11 at most.
choose_lock() {
  system=$(uname -s) machine=$(uname -m)
  case "$system $machine" in
    "Darwin arm64") lock=tfx121 because="macOS on arm64" ;;
    "Linux x86_64")
      libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
      case "$libc" in
        "glibc 2."*) minor=${libc#glibc 2.} minor=${minor%%.*} because=$libc ;;
        *) fail "TFX needs glibc, which this Linux does not have: use Debian, Ubuntu or a container of them." ;;
      esac
      if [ "$minor" -ge 39 ]; then lock=tfx121; else lock=tfx116; fi ;;
    *) fail "TFX has no release for $system on $machine: use Linux on x86_64 or macOS on arm64." ;;
  esac
  case $lock in
    tfx121) versions="3.13 3.12 3.11" ;;
    tfx116) versions="3.11" ;;
  esac
}

is_version() {
  test "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2"
}

choose_python() {
  for version in $versions; do
    # A name that the user gives is taken if the lock knows its version.
    for name in "${1:-python$version}" "${1:-python3}"; do
      if is_version "$name" "$version"; then
        python=$name
        return
      fi
    done
  done
  wanted=$(echo "$versions" | sed 's/ \([^ ]*\)$/ or \1/; s/ \([0-9]\)/, \1/g; s/, or/ or/')
  if [ -n "${1:-}" ]; then
    fail "$1 is not Python $wanted, which requirements/$lock is for ($because)."
  fi
  fail "Python $wanted is needed (requirements/$lock, $because):" \
    "install it, such as Debian's python${versions%% *} and python${versions%% *}-venv, or name it: make PYTHON=/path/to/python"
}

choose_lock
case "${1:-}" in
  lock) echo "$lock" ;;
  python) choose_python "${2:-}" && echo "$python" ;;
  reason)
    choose_python "${2:-}"
    echo "requirements/$lock with Python $version, the newest of $versions here; $because" ;;
  *) fail "usage: platform.sh lock|python|reason [INTERPRETER]" ;;
esac
