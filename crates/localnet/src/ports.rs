//! Ports nobody listens on.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Context, Result};

/// Ports a run uses: consecutive ones.
pub const WIDTH: u16 = 96;

/// Where a search begins: below the range from which systems give ports to clients.
const FIRST: u16 = 12_000;
const BLOCKS: u16 = 190;

/// The first of [`WIDTH`] consecutive ports that are free, UDP and TCP. Runs at the same time begin
/// their search in different places.
///
/// # Errors
/// When there are none.
pub fn free_block() -> Result<u16> {
    let seed = u16::try_from(std::process::id() % u32::from(BLOCKS))?;
    (0..BLOCKS)
        .map(|block| FIRST + (seed + block) % BLOCKS * WIDTH)
        .find(|base| (*base..base + WIDTH).all(is_free))
        .context("no free ports: end what listens on them")
}

fn is_free(port: u16) -> bool {
    let at = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_in_use_is_passed_over() {
        let base = free_block().unwrap();
        assert!((FIRST..=FIRST + BLOCKS * WIDTH).contains(&base));
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, base + 7)).unwrap();
        assert!(!is_free(base + 7));
        assert_ne!(free_block().unwrap(), base);
    }
}
