#!/usr/bin/env python3
"""Makes Rust's standard library build for the target `sbpf-solana-solana`.

    patch_std.py LIBRARY

LIBRARY is a copy of rustc's `library` folder and is changed in place. Each edit names the text it
expects; where that text is missing the rustc version is not one these edits were made for, and the
script says so and stops.
"""

import re
import sys
from pathlib import Path


class UnknownSource(Exception):
    """The text an edit expects is not in the file."""


def replace(path, old, new):
    text = path.read_text()
    if text.count(old) != 1:
        raise UnknownSource(f"{path} holds {old.strip()!r} {text.count(old)} times, expected once")
    path.write_text(text.replace(old, new))


def use_the_zkvm_platform(std):
    """One thread and no operating system: std's platform layer for `zkvm` fits the VM as it is."""
    zkvm = 'target_os = "zkvm"'
    sources = [path for path in sorted((std / "src").rglob("*.rs")) if zkvm in path.read_text()]
    if not sources:
        raise UnknownSource(f"no file under {std / 'src'} mentions {zkvm}")
    for path in sources:
        either = f'any({zkvm}, target_os = "solana")'
        path.write_text(path.read_text().replace(zkvm, either))
    supported = '        || target_os == "zkvm"\n'
    replace(std / "build.rs", supported, supported + '        || target_os == "solana"\n')


def allocate_on_eight_bytes(std):
    """The smallest alignment the system allocator promises is known by architecture only."""
    neighbour = '    target_arch = "csky",\n'
    replace(
        std / "src/sys/alloc/mod.rs", neighbour, '    target_arch = "bpf",\n' + neighbour
    )


def hash_with_fixed_keys(std):
    """`RandomState` caches its keys in a thread local, and the VM has no writable statics."""
    path = std / "src/hash/random.rs"
    cached = re.compile(
        r"        thread_local!\(static KEYS.*?RandomState \{ k0, k1 \}\n        \}\)\n", re.DOTALL
    )
    text, count = cached.subn("        RandomState { k0: 0, k1: 0 }\n", path.read_text())
    if count != 1:
        raise UnknownSource(f"{path} does not cache the keys of RandomState the way it did")
    path.write_text(text)
    replace(path, "use crate::cell::Cell;\n", "")
    replace(path, "use crate::sys::random::hashmap_random_keys;\n", "")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: patch_std.py LIBRARY")
    std = Path(sys.argv[1]) / "std"
    try:
        use_the_zkvm_platform(std)
        allocate_on_eight_bytes(std)
        hash_with_fixed_keys(std)
    except (UnknownSource, OSError) as problem:
        sys.exit(
            f"sbf: cannot patch this rustc's standard library ({problem}); "
            "install the toolchain that rust-toolchain.toml names: rustup toolchain install"
        )


if __name__ == "__main__":
    main()
