#!/usr/bin/env bash
# setup.sh -- makes a toolchain that builds Solana programs and prints, a line each, the path of the
# standard library's source, of the libraries to link with and of the linker.
#
# Everything in it comes from package registries: LLVM from the Python index, sbpf-linker from the
# crate registry, the standard library's source from the Rust toolchain or from Debian. What is
# there already is kept: a second run does nothing. The folder is $SBF_TOOLCHAIN, by default
# ballast-sbf in the user's cache; removing it loses nothing but time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tc=${SBF_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/ballast-sbf}
llvm_version=23.1.1.post0
linker_version=0.2.6

say() { echo "sbf: $*" >&2; }
die() {
  say "$*"
  exit 1
}
# logged NAME COMMAND... -- runs COMMAND with its output in a log, which `$log` then names.
logged() {
  log=$tc/log/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null
}

cd "$root"
command -v rustc >/dev/null || die "Rust is missing: install rustup, then the toolchain that rust-toolchain.toml names."
rust_version=$(rustc -V | cut -d' ' -f2) || die "rustc does not run: install the toolchain that rust-toolchain.toml names with rustup."
mkdir -p "$tc/log"
exec 9>"$tc/lock"
if command -v flock >/dev/null; then flock 9; fi
# What the caller's build uses must not reach these builds.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR

# Names a folder by what it is made from, so that a change of these files makes a new one.
digest() { cat "$@" | sha256sum | cut -c1-12; }

# 1. The standard library's source, patched for os = "solana".
std=$tc/std-$rust_version-$(digest "$here/patch_std.py")
patch_std() {
  command -v python3 >/dev/null || die "Python 3 is missing: install it (on Debian: apt-get install python3)."
  local source
  source=$(rustc --print sysroot)/lib/rustlib/src/rust/library
  if [ ! -d "$source" ] && command -v rustup >/dev/null; then
    say "adding rustup's component rust-src"
    logged rust-src rustup component add rust-src || true
  fi
  if [ ! -d "$source" ]; then
    say "taking the source of the standard library from Debian"
    source=$("$here/debian_rust_src.sh" "$rust_version" "$tc/debian") ||
      die "rust-src of $rust_version is missing: install it with: rustup component add rust-src"
  fi
  rm -rf "$std" "$std.new"
  mkdir "$std.new"
  cp -r "$source" "$std.new/library"
  rm -rf "$tc/debian"
  python3 "$here/patch_std.py" "$std.new/library" || exit 1
  mv "$std.new" "$std"
}
[ -d "$std" ] || patch_std

# 2. LLVM with the BPF back end, as static libraries.
llvm=$tc/llvm-$llvm_version
static_llvm() { echo "$llvm"/lib/python3*/site-packages/mlc_llvm_static/static; }
install_llvm() {
  "$root/scripts/need.sh" "Python 3 with venv" \
    'd=$(mktemp -d) && python3 -m venv "$d"; s=$?; rm -rf "$d"; exit $s' python3 python3-venv || exit 1
  say "installing LLVM $llvm_version from the Python package index"
  rm -rf "$llvm"
  logged llvm python3 -m venv "$llvm" || die "Python's venv does not work; $log tells why."
  logged llvm "$llvm/bin/pip" install "mlc-llvm-static==$llvm_version" "mlc-llvm-static-extra-targets==$llvm_version" ||
    die "LLVM could not be downloaded: check the network and pip's configuration; $log tells more."
  touch "$llvm/done"
}
[ -e "$llvm/done" ] || install_llvm

# 3. The linker that makes an sBPF ELF out of LLVM bitcode.
linker=$tc/linker-$linker_version
install_linker() {
  links() { echo "echo 'int main(){}' | cc -x c - ${1:-} -o /dev/null"; }
  "$root/scripts/need.sh" "a C compiler" "$(links)" gcc libc6-dev || exit 1
  "$root/scripts/need.sh" "the C++ standard library" "$(links -lstdc++)" g++ || exit 1
  "$root/scripts/need.sh" "static zstd" "$(links -l:libzstd.a)" libzstd-dev || exit 1
  "$root/scripts/need.sh" "static zlib" "$(links -l:libz.a)" zlib1g-dev || exit 1
  say "building sbpf-linker $linker_version (some minutes)"
  rm -rf "$linker" "$tc/linker-build"
  logged linker env LLVM_SYS_231_PREFIX="$(static_llvm)" LLVM_PREFIX="$(static_llvm)" \
    cargo install "sbpf-linker@$linker_version" --locked --root "$linker.new" --target-dir "$tc/linker-build" \
    --no-default-features --features bpf-linker/llvm-23,bpf-linker/llvm-link-static ||
    die "sbpf-linker could not be built: check the network and cargo's configuration; $log tells more."
  rm -rf "$tc/linker-build"
  mv "$linker.new" "$linker"
}
[ -d "$linker" ] || install_linker

# 4. The 128-bit and memory routines that compiled code calls.
builtins=$tc/builtins-$(digest "$here/setup.sh" "$here/builtins/Cargo.toml" "$here/patch_std.py" "$here/sbpf-solana-solana.json" "$here"/builtins/src/*.rs)-$rust_version
build_builtins() {
  say "building the compiler's routines for the VM"
  rm -rf "$tc"/builtins-*
  logged builtins env __CARGO_TESTS_ONLY_SRC_ROOT="$std/library" RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-C passes=lower-atomic -C panic=immediate-abort -Z unstable-options -C relocation-model=static" \
    cargo build --locked --release --package sbf-builtins --target "$here/sbpf-solana-solana.json" \
    --target-dir "$tc/builtins-build" -Z build-std=core -Z json-target-spec ||
    die "the compiler's routines could not be built; $log tells why."
  mkdir "$builtins.new"
  cp "$tc"/builtins-build/sbpf-solana-solana/release/deps/lib{sbf_builtins,solana_compiler_builtins}-*.rlib "$builtins.new"
  rm -rf "$tc/builtins-build"
  mv "$builtins.new" "$builtins"
}
[ -d "$builtins" ] || build_builtins

printf '%s\n' "$std/library" "$builtins" "$linker/bin/sbpf-linker"
