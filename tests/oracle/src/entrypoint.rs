//! The program's entry.

use anchor_lang::solana_program::entrypoint;

use crate::process;

entrypoint!(process);
