//! `transfer`: what a deposit or a withdrawal would leave.

use anyhow::Result;
use ballast_view::preview::TransferView;
use ballast_view::units::Collateral;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::request::TraderRequest;

/// An amount into a trader account, or out of it.
#[derive(Clone, Debug, BorshDeserialize, BorshSerialize)]
pub struct TransferOf {
    /// The trader account.
    pub trader: TraderRequest,
    /// Decimals of the quote currency, which the exchange has.
    pub decimals: u8,
    /// Atoms into free collateral; negative out of it.
    pub atoms: i64,
}

/// Free collateral afterwards.
pub fn call(request: &TransferOf) -> Result<TransferView> {
    let collateral = Collateral {
        decimals: request.decimals,
    };
    TransferView::new(&request.trader.trader()?, request.atoms, collateral)
}
