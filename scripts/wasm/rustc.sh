#!/usr/bin/env bash
# rustc.sh RUSTC ARGUMENT... -- runs the compiler as cargo asks, but names a crate by its name and version:
# cargo's own name for it depends on the folder of its source, and the order of functions on that.
set -euo pipefail
arguments=()
for argument in "$@"; do
  case $argument in
    metadata=*) argument=metadata=${CARGO_PKG_NAME:-}-${CARGO_PKG_VERSION:-} ;;
  esac
  arguments+=("$argument")
done
exec "${arguments[@]}"
