//! The instructions of the program: their first eight bytes and the arguments that follow them,
//! written by Borsh.

use alloc::vec::Vec;

use ballast_engine::{
    book::{BookRef, OwnOrders},
    protection::ProtectiveStep,
    risk::RiskParams,
};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    market::NAME_BYTES,
    oracle_config::OracleConfig,
    trigger::TriggerKind,
    Pubkey,
};

/// Most counterparties one call works through: what the program's heap has room for.
pub const MAX_COUNTERPARTIES: usize = 32;
/// Most makers one call may list: what the program's heap has room for.
pub const MAX_MAKERS: usize = 32;
/// Most positions by which one call makes a queue longer: what the runtime lets an account grow by.
pub const MAX_GROWTH: u32 = 98;
/// The same for legs of a cross queue, whose nodes are larger.
pub const MAX_CROSS_GROWTH: u32 = 80;

/// Arguments of `initialize_exchange`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default)]
pub struct InitializeExchangeArgs {
    /// First risk authority.
    pub risk_authority: Pubkey,
    /// First guardian.
    pub guardian: Pubkey,
}

/// A market as it is to be opened.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateMarketArgs {
    /// Printable ASCII padded with zeros.
    pub name: [u8; NAME_BYTES],
    /// Price source and units.
    pub oracle: OracleConfig,
    /// Risk parameters.
    pub risk: RiskParams,
}

impl CreateMarketArgs {
    /// Checks name, price source and parameters for a quote currency of so many decimals.
    ///
    /// # Errors
    /// `MarketNameInvalid`; `OracleConfigInvalid`; the `Risk...` errors.
    pub fn validate(&self, mint_decimals: u8) -> Result<()> {
        ensure(name_is_valid(&self.name), BallastError::MarketNameInvalid)?;
        self.oracle.validate(mint_decimals)?;
        Ok(self.risk.validate(unit_atoms(mint_decimals))?)
    }
}

/// Atoms of one unit of a currency of so many decimals; 0 where that is no 64-bit number, so that
/// every amount is too large.
#[must_use]
pub fn unit_atoms(decimals: u8) -> u64 {
    10_u64.checked_pow(decimals.into()).unwrap_or(0)
}

/// At least one printable ASCII byte, then only zeros.
fn name_is_valid(name: &[u8; NAME_BYTES]) -> bool {
    let length = name
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_BYTES);
    let (text, rest) = name.split_at(length);
    !text.is_empty() && text.iter().all(u8::is_ascii_graphic) && rest.iter().all(|byte| *byte == 0)
}

/// Arguments of `block_trade`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default)]
pub struct BlockTradeArgs {
    /// Lots of the taker: + buys, - sells. The maker does the opposite.
    pub lots: i64,
    /// Price, ticks.
    pub price_ticks: u64,
    /// Free collateral the taker moves to margin, atoms; ignored when only reducing.
    pub taker_margin: u64,
    /// Free collateral the maker moves to margin, atoms; ignored when only reducing.
    pub maker_margin: u64,
}

/// Arguments of `block_trade_cross`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default)]
pub struct BlockTradeCrossArgs {
    /// The trade. What a party moves to margin is ignored where it trades a leg.
    pub trade: BlockTradeArgs,
    /// Whether the taker trades a leg where it has nothing in the market; it does in any case where it has one.
    pub taker_leg: bool,
    /// The same of the maker.
    pub maker_leg: bool,
}

/// Arguments of `place_trigger`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default)]
pub struct PlaceTriggerArgs {
    /// Which of the two.
    pub kind: TriggerKind,
    /// Oracle price that triggers, ticks.
    pub price_ticks: u64,
    /// Worst price of the fills, ticks; 0 when only the band limits it.
    pub worst_ticks: u64,
    /// Lots to close; more than the position has mean all of them.
    pub lots: u64,
}

/// Arguments of `set_protection`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct SetProtectionArgs {
    /// The steps, each of a lower ratio than the one before it; none clear those of before.
    pub steps: Vec<ProtectiveStep>,
    /// How far from the mark their fills may lie, basis points of the mark; not looked at without steps.
    pub slip_bps: u32,
}

/// Names one of a trader's orders in a market.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By its id in the book.
    Id(u64),
    /// By the trader's own number for it, which is not 0.
    ClientId(u64),
}

impl Default for OrderRef {
    /// Names no order: ids begin at 1.
    fn default() -> Self {
        Self::Id(0)
    }
}

impl OrderRef {
    /// Node of the order.
    ///
    /// # Errors
    /// `OrderNotFound`.
    pub fn find(self, book: &BookRef<'_>, own: &OwnOrders) -> Result<u32> {
        let node = match self {
            Self::Id(id) => book.find_id(own, id)?,
            Self::ClientId(id) => book.find_client(own, id)?,
        };
        node.ok_or(BallastError::OrderNotFound)
    }
}

/// Generates the first bytes of the instructions from a list of constant, name and bytes.
macro_rules! discriminators {
    ($($constant:ident $name:literal $bytes:expr;)*) => {
        $(
            #[doc = concat!("First bytes of `", $name, "`: of the SHA-256 of `global:", $name, "`.")]
            pub const $constant: [u8; 8] = $bytes;
        )*

        /// Name and first bytes of every instruction.
        pub const ALL: &[(&str, [u8; 8])] = &[$(($name, $constant)),*];
    };
}

discriminators! {
    INITIALIZE_EXCHANGE "initialize_exchange" [224, 105, 116, 166, 228, 207, 96, 19];
    RAISE_DELAYS "raise_delays" [97, 63, 142, 70, 56, 124, 50, 55];
    STAGE_CHANGE "stage_change" [162, 130, 111, 250, 196, 251, 200, 146];
    CANCEL_STAGED "cancel_staged" [115, 7, 142, 5, 93, 196, 19, 194];
    APPLY_EXCHANGE_CHANGE "apply_exchange_change" [21, 113, 161, 23, 72, 183, 195, 39];
    APPLY_MARKET_CHANGE "apply_market_change" [184, 147, 62, 204, 90, 244, 210, 58];
    APPLY_ORACLE_CHANGE "apply_oracle_change" [27, 155, 100, 0, 183, 133, 254, 141];
    ACCEPT_AUTHORITY "accept_authority" [107, 86, 198, 91, 33, 12, 107, 160];
    SET_PAUSE "set_pause" [63, 32, 154, 2, 56, 103, 79, 45];
    CREATE_MARKET "create_market" [103, 226, 97, 235, 200, 188, 251, 254];
    SET_REDUCE_ONLY "set_reduce_only" [187, 233, 208, 249, 160, 104, 209, 117];
    CREATE_TRADER "create_trader" [170, 181, 132, 39, 231, 215, 137, 193];
    CLOSE_TRADER "close_trader" [26, 12, 56, 104, 212, 12, 186, 205];
    SET_DELEGATE "set_delegate" [242, 30, 46, 76, 108, 235, 128, 181];
    DEPOSIT "deposit" [242, 35, 198, 137, 82, 225, 242, 182];
    WITHDRAW "withdraw" [183, 18, 70, 156, 148, 109, 161, 34];
    ADD_MARGIN "add_margin" [211, 238, 238, 90, 223, 228, 228, 76];
    REMOVE_MARGIN "remove_margin" [227, 105, 231, 23, 236, 26, 6, 32];
    BLOCK_TRADE "block_trade" [33, 40, 236, 189, 105, 202, 188, 70];
    PLACE_ORDER "place_order" [51, 194, 155, 175, 109, 130, 96, 106];
    REPLACE_ORDER "replace_order" [196, 148, 255, 192, 194, 68, 104, 91];
    CANCEL_ORDER "cancel_order" [95, 129, 237, 240, 8, 49, 223, 132];
    CANCEL_ALL_ORDERS "cancel_all_orders" [196, 83, 243, 171, 17, 100, 160, 143];
    PLACE_TRIGGER "place_trigger" [219, 75, 198, 172, 87, 232, 205, 21];
    CANCEL_TRIGGER "cancel_trigger" [208, 139, 249, 52, 247, 33, 57, 223];
    CREATE_PROTECTION "create_protection" [251, 229, 159, 168, 63, 220, 242, 27];
    SET_PROTECTION "set_protection" [170, 199, 130, 200, 40, 198, 55, 172];
    CLOSE_PROTECTION "close_protection" [53, 50, 161, 224, 19, 251, 16, 63];
    CREATE_POOL "create_pool" [233, 146, 209, 142, 207, 104, 64, 188];
    CREATE_SHARE "create_share" [142, 133, 231, 78, 183, 163, 203, 180];
    CLOSE_SHARE "close_share" [87, 228, 185, 160, 46, 231, 72, 90];
    DEPOSIT_POOL "deposit_pool" [187, 244, 122, 76, 155, 46, 239, 194];
    OPEN_STAKES "open_stakes" [183, 79, 129, 117, 82, 233, 152, 137];
    STAKE "stake" [206, 176, 202, 18, 200, 209, 179, 108];
    REQUEST_UNSTAKE "request_unstake" [44, 154, 110, 253, 160, 202, 54, 34];
    CANCEL_UNSTAKE "cancel_unstake" [64, 65, 53, 227, 125, 153, 3, 167];
    UNSTAKE "unstake" [90, 95, 107, 42, 205, 124, 50, 225];
    REQUEST_POOL "request_pool" [45, 197, 128, 132, 49, 12, 52, 9];
    CANCEL_POOL_REQUEST "cancel_pool_request" [61, 206, 154, 111, 44, 106, 255, 146];
    WITHDRAW_POOL "withdraw_pool" [190, 43, 148, 248, 68, 5, 215, 136];
    RESET_POOL "reset_pool" [108, 172, 93, 91, 146, 8, 155, 112];
    STOP_POOL "stop_pool" [96, 214, 235, 176, 126, 81, 211, 129];
    APPLY_POOL_CHANGE "apply_pool_change" [237, 195, 86, 14, 121, 63, 5, 122];
    ACCRUE_FUNDING "accrue_funding" [152, 118, 41, 215, 85, 208, 160, 108];
    WITNESS_ORACLE "witness_oracle" [202, 149, 51, 178, 212, 158, 113, 12];
    DONATE_INSURANCE "donate_insurance" [24, 11, 132, 174, 126, 186, 208, 90];
    RELEASE_PROFIT "release_profit" [130, 148, 170, 81, 193, 135, 227, 235];
    SWEEP_INSURANCE "sweep_insurance" [60, 221, 5, 32, 9, 251, 194, 222];
    WITHDRAW_FEES "withdraw_fees" [198, 212, 171, 109, 144, 215, 174, 89];
    GROW_QUEUE "grow_queue" [184, 206, 238, 102, 68, 182, 44, 38];
    WITHDRAW_INSURANCE "withdraw_insurance" [201, 133, 145, 118, 235, 89, 90, 189];
    DECLARE_DEAD "declare_dead" [133, 241, 105, 198, 212, 231, 202, 67];
    BEGIN_SETTLEMENT "begin_settlement" [124, 223, 80, 249, 19, 59, 26, 92];
    SETTLE_POSITION "settle_position" [33, 156, 74, 218, 215, 42, 112, 175];
    WRITE_OFF_BANKRUPT "write_off_bankrupt" [203, 240, 131, 222, 58, 224, 154, 28];
    COUNT_CLAIMS "count_claims" [13, 191, 164, 158, 235, 206, 58, 23];
    CLOSE_MARKET "close_market" [88, 154, 248, 186, 48, 14, 123, 244];
    FLAG_BANKRUPTCY "flag_bankruptcy" [140, 223, 176, 138, 216, 122, 129, 132];
    LIQUIDATE "liquidate" [223, 179, 226, 125, 48, 46, 39, 74];
    LIQUIDATE_INTO_POOL "liquidate_into_pool" [35, 44, 98, 153, 101, 86, 0, 103];
    UNWIND_POOL "unwind_pool" [78, 31, 0, 15, 142, 137, 136, 172];
    SYNC_POOL "sync_pool" [219, 251, 215, 251, 44, 37, 108, 102];
    EXECUTE_TRIGGER "execute_trigger" [158, 99, 201, 137, 192, 20, 236, 136];
    EXECUTE_PROTECTION "execute_protection" [236, 135, 134, 214, 144, 192, 14, 138];
    AUTO_DELEVERAGE "auto_deleverage" [210, 69, 163, 148, 44, 245, 226, 170];
    OPEN_ADL_SESSION "open_adl_session" [94, 45, 60, 24, 137, 157, 175, 6];
    ADVANCE_ADL_SESSION "advance_adl_session" [158, 177, 249, 168, 129, 228, 118, 199];
    EXECUTE_ADL_SESSION "execute_adl_session" [164, 189, 15, 199, 254, 155, 143, 106];
    CLOSE_ADL_SESSION "close_adl_session" [143, 17, 246, 80, 124, 228, 90, 37];
    CREATE_BOARD "create_board" [81, 129, 130, 38, 99, 204, 224, 177];
    ENABLE_CROSS "enable_cross" [177, 246, 22, 242, 105, 49, 69, 24];
    RECORD_MARKS "record_marks" [4, 59, 63, 133, 182, 242, 3, 114];
    FREEZE_MARK "freeze_mark" [162, 4, 174, 143, 19, 153, 90, 8];
    MOVE_CROSS "move_cross" [124, 57, 165, 113, 179, 61, 183, 254];
    CONVERT_MARGIN "convert_margin" [12, 78, 231, 4, 139, 160, 37, 253];
    REFRESH_RANKS "refresh_ranks" [34, 104, 118, 228, 101, 227, 187, 101];
    WITNESS_RANKS "witness_ranks" [54, 25, 103, 55, 1, 59, 254, 51];
    FLAG_LEG "flag_leg" [201, 3, 173, 150, 90, 50, 210, 94];
    LIQUIDATE_LEG "liquidate_leg" [79, 208, 45, 31, 248, 142, 201, 102];
    AUTO_DELEVERAGE_CROSS "auto_deleverage_cross" [28, 156, 199, 167, 137, 182, 107, 158];
    TRADE_LEG "trade_leg" [158, 193, 28, 168, 151, 91, 78, 177];
    BLOCK_TRADE_CROSS "block_trade_cross" [197, 244, 103, 173, 130, 123, 100, 219];
    PART_LEG "part_leg" [66, 247, 166, 103, 136, 6, 19, 190];
    MIGRATE_EXCHANGE "migrate_exchange" [240, 91, 43, 121, 109, 114, 227, 157];
    MIGRATE_MARKET "migrate_market" [201, 113, 181, 120, 217, 60, 109, 203];
    MIGRATE_QUEUE "migrate_queue" [163, 32, 198, 15, 254, 228, 58, 229];
    MIGRATE_BOOK "migrate_book" [238, 121, 167, 254, 26, 155, 102, 126];
    MIGRATE_TRADER "migrate_trader" [96, 210, 229, 183, 236, 51, 168, 230];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_padded_with_zeros() {
        assert!(name_is_valid(b"SOL-PERP\0\0\0\0\0\0\0\0"));
        assert!(name_is_valid(b"SIXTEEN-LETTERS!"));
        assert!(!name_is_valid(&[0; NAME_BYTES]));
        assert!(!name_is_valid(b"SOL\0PERP\0\0\0\0\0\0\0\0"));
        assert!(!name_is_valid(b"SOL PERP\0\0\0\0\0\0\0\0"));
        assert!(!name_is_valid(b"SOL\xffPERP\0\0\0\0\0\0\0\0"));
    }

    #[test]
    fn the_first_bytes_are_those_that_anchor_derives() {
        for (name, bytes) in ALL {
            assert_eq!(crate::tests::prefix("global", name), *bytes, "{name}");
        }
    }
}
