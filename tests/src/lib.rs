//! End-to-end tests of Ballast on the built program; see `tests/`.
