#!/usr/bin/env bash
# debian_rust_src.sh VERSION DIR -- unpacks Debian's rust-src of exactly VERSION into DIR and prints
# the folder `library` in it. The mirror is the one this machine's apt is set up with; newer suites
# are looked at in lists of their own, so the machine's configuration stays as it is.
set -euo pipefail
version=$1
dir=$2
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || exit 1
done
mirror=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' | grep '/debian/*$' | head -n 1)
[ -n "$mirror" ] || exit 1

rm -rf "$dir"
mkdir -p "$dir"/{lists,cache/archives}/partial "$dir/unpacked"
for suite in trixie-backports trixie forky sid; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done >"$dir/sources.list"
options=(
  -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
  -o APT::Sandbox::User=root -o Acquire::Languages=none
)
apt-get "${options[@]}" update -qq >&2
found=$(apt-cache "${options[@]}" madison rust-src | awk -v wanted="$version+" 'index($3, wanted) == 1 { print $3; exit }')
[ -n "$found" ] || exit 1
cd "$dir"
apt-get "${options[@]}" download -qq "rust-src=$found" >&2
dpkg-deb -x rust-src_*.deb unpacked
library=$dir/unpacked/usr/src/rustc-$version/library
[ -d "$library" ] || exit 1
echo "$library"
