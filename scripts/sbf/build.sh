#!/usr/bin/env bash
# build.sh PACKAGE OUT_DIR -- builds a workspace package for the VM and leaves OUT_DIR/PACKAGE.so,
# with underscores where the name has dashes.
set -euo pipefail
package=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
parts=$("$here/setup.sh")
{ read -r std && read -r libraries && read -r linker; } <<<"$parts"
cd "$here/../.."

# Cargo derives the names of symbols, and so the order of the program's functions, from where the
# standard library is: at one place on every machine the program has the same bytes. The folder must be
# the caller's, since whoever can write it can change the program.
fixed=/tmp/ballast-sbf
mkdir -m 700 -p "$fixed"
if [ -O "$fixed" ] && [ ! -L "$fixed" ]; then
  ln -sfn "$(dirname "$std")" "$fixed/$(basename "$(dirname "$std")")"
  std=$fixed/$(basename "$(dirname "$std")")/$(basename "$std")
else
  echo "sbf: $fixed belongs to somebody else: the program works, but its bytes are not those of a release." >&2
fi

flags=(
  -C "linker=$linker"
  # The VM has one thread and no atomic instructions.
  -C passes=lower-atomic
  # A panic becomes the `abort` system call, without a message.
  -C panic=immediate-abort -Z unstable-options
  -C link-arg=--allow-bpf-trap
  -C relocation-model=static
  # The VM reads and writes unaligned words.
  -C link-arg=--cpu-features=+allows-misaligned-mem-access
  # The VM's stack frame.
  -C link-arg=--llvm-args=-bpf-stack-size=4096
)
# Sources of dependencies have the same names on every machine, so that the program has the same bytes.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
for registry in "$cargo_home"/registry/src/*; do flags+=("--remap-path-prefix=$registry=/registry"); done
flags+=("--remap-path-prefix=$PWD=/ballast" "--remap-path-prefix=$(dirname "$std")=/rust")
for library in "$libraries"/*.rlib; do flags+=(-C "link-arg=$library"); done

# The linker's diagnostics are enough without its stack.
export RUST_BACKTRACE=0
unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR
export RUSTFLAGS="${flags[*]}" RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$std
# By its name, not by its path, which would become a part of the symbols' names.
export RUST_TARGET_PATH=$here
cargo build --locked --release --lib --package "$package" --target sbpf-solana-solana \
  --target-dir target/sbf -Z build-std=std,panic_abort -Z json-target-spec
library=${package//-/_}.so
cp "target/sbf/sbpf-solana-solana/release/lib$library" "$out/$library"
