//! The list of events: their first bytes, and what decodes any of them.

use alloc::boxed::Box;

use super::*;

/// First bytes of the instruction by which the program calls itself to announce an event, whose
/// own first bytes and fields follow.
pub const EVENT_TAG: [u8; 8] = [228, 69, 165, 46, 81, 203, 154, 29];

/// An event of the program.
pub trait Event: BorshSerialize + BorshDeserialize {
    /// Its name.
    const NAME: &'static str;
    /// Its first bytes: of the SHA-256 of `event:` and the name.
    const DISCRIMINATOR: [u8; 8];
}

/// Calls `$with!` with every event and its first bytes.
#[macro_export]
macro_rules! for_each_event {
    ($with:ident) => {
        $with! {
            ExchangeInitialized [200, 154, 187, 160, 29, 243, 230, 104];
            ChangeStaged [133, 188, 220, 214, 17, 111, 245, 59];
            ChangeCancelled [139, 179, 97, 81, 214, 21, 119, 93];
            DelaysChanged [97, 7, 143, 164, 249, 186, 147, 127];
            TreasuryChanged [252, 2, 55, 56, 106, 205, 227, 47];
            AuthorityAccepted [166, 192, 219, 188, 41, 209, 195, 26];
            PauseSet [175, 57, 198, 136, 192, 66, 204, 73];
            MarketCreated [88, 184, 130, 231, 226, 84, 6, 58];
            MarketRiskUpdated [207, 135, 85, 246, 177, 218, 85, 247];
            TraderCreated [23, 187, 11, 200, 167, 220, 143, 132];
            TraderClosed [174, 165, 97, 170, 238, 197, 143, 146];
            DelegateSet [103, 126, 239, 131, 201, 31, 212, 253];
            Deposited [111, 141, 26, 45, 161, 35, 100, 57];
            Withdrawn [20, 89, 223, 198, 194, 124, 219, 13];
            MarginAdded [121, 187, 28, 95, 195, 171, 37, 8];
            MarginRemoved [253, 156, 29, 17, 51, 166, 188, 192];
            BlockTraded [225, 77, 116, 114, 25, 85, 232, 138];
            OrderPlaced [96, 130, 204, 234, 169, 219, 216, 227];
            TriggerExecuted [11, 230, 11, 158, 235, 50, 186, 112];
            FundingAccrued [245, 38, 158, 236, 129, 195, 123, 235];
            InsuranceDonated [238, 155, 254, 172, 251, 224, 236, 18];
            InsuranceSwept [71, 241, 247, 53, 59, 217, 227, 251];
            PositionFlagged [214, 195, 219, 171, 95, 96, 40, 15];
            PositionLiquidated [40, 107, 90, 214, 96, 30, 61, 128];
            PoolTook [165, 146, 97, 139, 195, 223, 202, 131];
            PoolUnwound [171, 103, 61, 4, 199, 136, 224, 20];
            PoolSynced [18, 68, 111, 240, 206, 202, 239, 206];
            AutoDeleveraged [10, 14, 140, 79, 30, 115, 27, 9];
            AdlSessionOpened [232, 181, 113, 143, 62, 216, 158, 172];
            AdlSessionAdvanced [29, 184, 43, 47, 71, 192, 33, 58];
            AdlSessionClosed [146, 9, 220, 189, 182, 86, 10, 59];
            QueueGrown [158, 170, 236, 127, 46, 77, 56, 52];
            OrdersCancelled [7, 134, 210, 3, 65, 222, 254, 188];
            TriggerPlaced [168, 173, 202, 76, 152, 169, 172, 181];
            TriggerCancelled [158, 125, 205, 196, 217, 173, 189, 250];
            ProtectionCreated [198, 43, 125, 164, 217, 91, 154, 248];
            ProtectionSet [85, 187, 36, 64, 195, 98, 226, 124];
            ProtectionClosed [96, 168, 41, 161, 4, 163, 231, 171];
            ProtectionExecuted [226, 54, 23, 80, 253, 91, 190, 175];
            ProfitHeld [105, 91, 11, 230, 9, 49, 68, 115];
            ProfitReleased [114, 224, 138, 69, 31, 189, 212, 150];
            ReduceOnlySet [238, 136, 14, 217, 246, 2, 33, 111];
            DelistingScheduled [140, 171, 195, 207, 9, 94, 2, 90];
            OracleDeclaredDead [88, 206, 241, 16, 11, 224, 45, 250];
            SettlementBegun [196, 162, 165, 197, 7, 238, 160, 204];
            PositionSettled [75, 100, 92, 189, 245, 116, 252, 221];
            BankruptWrittenOff [189, 218, 222, 255, 121, 151, 226, 155];
            ClaimsCounted [213, 120, 178, 72, 87, 141, 187, 131];
            MarketClosed [86, 91, 119, 43, 94, 0, 217, 113];
            InsuranceWithdrawn [85, 95, 150, 170, 148, 235, 180, 156];
            FeesWithdrawn [234, 15, 0, 119, 148, 241, 40, 21];
            StrayTokensCredited [195, 52, 119, 154, 155, 82, 251, 150];
            StakesOpened [209, 104, 98, 130, 191, 125, 20, 28];
            Staked [11, 146, 45, 205, 230, 58, 213, 240];
            StakesRenewed [124, 245, 14, 198, 168, 109, 168, 131];
            UnstakeRequested [21, 253, 177, 85, 129, 206, 42, 152];
            UnstakeCancelled [102, 223, 189, 101, 201, 223, 180, 38];
            Unstaked [27, 179, 156, 215, 47, 71, 195, 7];
            PoolCreated [202, 44, 41, 88, 104, 220, 157, 82];
            ShareCreated [10, 138, 37, 82, 112, 9, 202, 24];
            ShareClosed [215, 65, 180, 218, 111, 157, 40, 86];
            PoolDeposited [148, 17, 86, 50, 113, 125, 70, 132];
            PoolRequested [134, 110, 176, 106, 84, 134, 201, 194];
            PoolRequestCancelled [132, 168, 98, 128, 28, 83, 85, 142];
            PoolWithdrawn [23, 62, 221, 23, 53, 222, 69, 207];
            PoolReset [34, 242, 100, 109, 183, 59, 213, 92];
            PoolStopped [217, 173, 29, 47, 127, 171, 47, 253];
            PoolChanged [79, 81, 38, 228, 57, 200, 168, 142];
            OracleWitnessed [12, 63, 111, 1, 18, 124, 4, 63];
            OracleChanged [151, 212, 213, 104, 49, 131, 55, 23];
            BoardCreated [100, 100, 202, 61, 51, 12, 67, 195];
            CrossEnabled [22, 239, 136, 185, 162, 88, 183, 220];
            MarksRecorded [4, 58, 164, 66, 225, 30, 66, 234];
            MarkFrozen [136, 165, 82, 14, 89, 70, 45, 176];
            CrossMoved [230, 125, 213, 190, 205, 209, 227, 194];
            MarginConverted [100, 14, 195, 206, 28, 254, 179, 163];
            LegTraded [129, 185, 196, 109, 231, 120, 217, 131];
            CrossBlockTraded [22, 193, 128, 157, 57, 45, 173, 83];
            LegsMade [60, 221, 15, 51, 135, 241, 70, 65];
            RanksRefreshed [99, 106, 182, 192, 204, 194, 52, 19];
            LegForced [9, 117, 102, 67, 179, 88, 180, 175];
            CrossRound [70, 99, 59, 92, 92, 135, 207, 250];
            AccountMigrated [153, 121, 252, 128, 30, 241, 166, 101];
        }
    };
}

macro_rules! events {
    ($($name:ident $bytes:expr;)*) => {
        $(impl Event for $name {
            const NAME: &'static str = stringify!($name);
            const DISCRIMINATOR: [u8; 8] = $bytes;
        })*

        /// Any event of the program.
        #[derive(Clone, Debug)]
        pub enum BallastEvent {
            $(
                #[doc = concat!("See [`", stringify!($name), "`].")]
                $name(Box<$name>),
            )*
        }

        impl BallastEvent {
            /// The event's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::NAME,)*
                }
            }

            /// Decodes the data of an instruction by which the program called itself; `None` when
            /// it is no event, or not exactly one.
            #[must_use]
            pub fn decode(instruction_data: &[u8]) -> Option<Self> {
                let event = instruction_data.strip_prefix(&EVENT_TAG)?;
                $(
                    if let Some(fields) = event.strip_prefix(&<$name as Event>::DISCRIMINATOR) {
                        let event = <$name as BorshDeserialize>::try_from_slice(fields).ok()?;
                        return Some(Self::$name(Box::new(event)));
                    }
                )*
                None
            }
        }
    };
}

for_each_event!(events);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pubkey;

    macro_rules! first_bytes {
        ($($name:ident $bytes:expr;)*) => {
            [$((<$name as Event>::NAME, <$name as Event>::DISCRIMINATOR)),*]
        };
    }

    #[test]
    fn the_first_bytes_are_those_that_anchor_derives() {
        for (name, bytes) in for_each_event!(first_bytes) {
            assert_eq!(crate::tests::prefix("event", name), bytes, "{name}");
        }
        let tag = u64::from_le_bytes(EVENT_TAG).to_be_bytes();
        assert_eq!(crate::tests::prefix("anchor", "event"), tag);
    }

    #[test]
    fn an_event_is_decoded_from_the_data_of_the_self_call() {
        let event = Deposited {
            trader: Pubkey::new_from_array([1; 32]),
            depositor: Pubkey::new_from_array([2; 32]),
            amount: 5,
            free_after: 12,
        };
        let record = [
            &<Deposited as Event>::DISCRIMINATOR[..],
            &borsh::to_vec(&event).unwrap(),
        ]
        .concat();
        let mut data = [&EVENT_TAG[..], &record].concat();
        match BallastEvent::decode(&data) {
            Some(BallastEvent::Deposited(read)) => {
                assert_eq!(
                    (read.trader, read.amount, read.free_after),
                    (event.trader, 5, 12)
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(BallastEvent::decode(&data).unwrap().name(), "Deposited");
        data.push(0);
        assert!(BallastEvent::decode(&data).is_none(), "longer");
        data.truncate(40);
        assert!(BallastEvent::decode(&data).is_none(), "cut short");
        assert!(BallastEvent::decode(&record).is_none(), "without the tag");
    }
}
