//! How a keeper of a market on this machine is configured.

use std::path::Path;

/// A configuration for `ballast-keeper`: it asks the node at `url`, signs with the key in `keypair`, keeps
/// its state in the folder `state` and serves its pages at `listen`. It looks often, as nothing here costs.
pub fn configuration(url: &str, keypair: &Path, state: &Path, listen: &str) -> String {
    format!(
        "[rpc]\nurl = {url:?}\n\
         [wallet]\nkeypair = {keypair:?}\n\
         [lookup_table]\nstate_dir = {state:?}\n\
         [intervals]\npoll_ms = 200\ncheck_ms = 500\nsilence_ms = 2000\nretry_ms = 100\n\
         longest_retry_seconds = 3\npolled_resync_seconds = 1\n\
         [health]\nmax_slot_age_seconds = 5\n\
         [metrics]\nlisten = {listen:?}\n"
    )
}
