//! What names a staged change.

use ballast_state::staged::Staged;
use ballast_state::Pubkey;

/// What names a staged change, and what it takes to apply or cancel it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StagedKeys {
    /// The account that holds it.
    pub address: Pubkey,
    /// Its id.
    pub id: [u8; 32],
    /// Who paid its rent and gets it back.
    pub payer: Pubkey,
}

impl StagedKeys {
    /// Those of the change that this account holds.
    #[must_use]
    pub fn of(address: Pubkey, staged: &Staged) -> Self {
        Self {
            address,
            id: staged.id,
            payer: staged.payer,
        }
    }
}
