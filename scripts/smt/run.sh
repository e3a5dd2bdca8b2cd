#!/usr/bin/env bash
# run.sh -- proves the lemmas of docs/ADL.md and docs/CROSS_MARGIN.md with z3. Arguments go to lemmas.py.
#
# z3 comes from the Python package index in the version that requirements.txt pins and is kept in
# $SMT_VENV, by default ballast-smt in the user's cache; removing that loses nothing but time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sha256sum "$here/requirements.txt" | cut -c1-12)
venv=${SMT_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/ballast-smt}/$version

install_z3() {
  "$here/../need.sh" "Python 3 with venv" \
    'd=$(mktemp -d) && python3 -m venv "$d"; s=$?; rm -rf "$d"; exit $s' python3 python3-venv
  echo "smt: installing $(cat "$here/requirements.txt") from the Python package index" >&2
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --only-binary :all: --requirement "$here/requirements.txt" || {
    echo "smt: z3 could not be downloaded: check the network and pip's configuration." >&2
    exit 1
  }
  touch "$venv/done"
}
[ -e "$venv/done" ] || install_z3 </dev/null
exec "$venv/bin/python" -B "$here/lemmas.py" "$@"
