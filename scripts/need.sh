#!/usr/bin/env bash
# need.sh WHAT PROBE PACKAGE...
#
# Makes sure that the shell command PROBE succeeds. Where it does not, the Debian packages are
# installed if this is root on a machine with apt-get; otherwise one sentence says what to install.
set -u
what=$1
probe=$2
shift 2

works() { bash -c "$probe" >/dev/null 2>&1 </dev/null; }
install() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 </dev/null; }

works && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing $* for $what" >&2
  export DEBIAN_FRONTEND=noninteractive
  install "$@" || { apt-get update -qq >/dev/null 2>&1 </dev/null && install "$@"; }
  works && exit 0
fi
echo "$what is missing: install it (on Debian: apt-get install $*)." >&2
exit 1
