//! The adapters against the reading of `ballast_state`, which clients use.

use ballast_state::price::{PriceAccount, RawPrice, PYTH_ORACLE_DEVNET, PYTH_ORACLE_MAINNET};

use super::{
    test_account::{with_account, TestAccount},
    *,
};
use crate::error::error;

const FEED: [u8; 32] = [7; 32];
const KEY: Pubkey = Pubkey::new_from_array([3; 32]);

/// Random numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0.rotate_left(29) ^ self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next().to_le_bytes()[0];
        }
    }
}

/// A `PriceUpdateV2` of random numbers.
fn update(numbers: &mut Numbers) -> Vec<u8> {
    let mut data = vec![0; 8 + 32 + 2 + 84 + 8];
    numbers.fill(&mut data);
    data[..8].copy_from_slice(&[34, 241, 35, 99, 157, 126, 244, 205]);
    data[40] = 1;
    data[41..73].copy_from_slice(&FEED);
    data
}

/// A legacy price account of random numbers; its enumerations hold what they may.
fn legacy(numbers: &mut Numbers) -> Vec<u8> {
    let mut data = vec![0; 3_312];
    numbers.fill(&mut data[16..230]);
    data[..4].copy_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    data[4..8].copy_from_slice(&2_u32.to_le_bytes());
    data[8..12].copy_from_slice(&3_u32.to_le_bytes());
    data[16..20].copy_from_slice(&[1, 0, 0, 0]);
    data[224..232].copy_from_slice(&[0; 8]);
    data[224] = u8::try_from(numbers.below(5)).unwrap();
    data
}

/// Changes a byte, cuts the end off, or lets the bytes be. The enumerations of a legacy account
/// stay what they may be.
fn spoil(numbers: &mut Numbers, data: &mut Vec<u8>) {
    match numbers.below(4) {
        0 => data.truncate(numbers.below(data.len())),
        1 => data[numbers.below(16)] ^= 1 << numbers.below(8),
        2 if data.len() < 200 => {
            let at = numbers.below(data.len());
            data[at] = numbers.next().to_le_bytes()[0];
        }
        _ => {}
    }
}

/// What both say of an account.
fn compare(
    account: TestAccount,
    adapter: impl Fn(&AccountInfo) -> Result<RawPrice>,
    bytes: impl Fn(&PriceAccount) -> ballast_state::error::Result<RawPrice>,
) -> bool {
    with_account(account, |info| {
        let data = info.try_borrow_data().unwrap();
        let read = bytes(&PriceAccount {
            key: info.key,
            owner: info.owner,
            data: &data,
        });
        let accepted = read.is_ok();
        assert_eq!(adapter(info), read.map_err(|wrong| error!(wrong)));
        accepted
    })
}

#[test]
fn both_readings_of_an_update_agree_on_random_and_corrupt_bytes() {
    let (mut numbers, mut accepted) = (Numbers(1), 0);
    for _ in 0..20_000 {
        let mut data = update(&mut numbers);
        spoil(&mut numbers, &mut data);
        let owner = match numbers.below(20) {
            0 => KEY,
            _ => pyth_solana_receiver_sdk::ID,
        };
        let account = TestAccount {
            key: KEY,
            owner,
            data,
        };
        let same = compare(
            account,
            |info| pull::read(info, &FEED),
            |account| account.pull(&FEED),
        );
        accepted += u32::from(same);
    }
    assert!((5_000..18_000).contains(&accepted), "{accepted} accepted");
}

#[test]
fn both_readings_of_a_legacy_account_agree_on_random_and_corrupt_bytes() {
    let (mut numbers, mut accepted) = (Numbers(2), 0);
    for _ in 0..5_000 {
        let mut data = legacy(&mut numbers);
        spoil(&mut numbers, &mut data);
        let owner = [PYTH_ORACLE_MAINNET, PYTH_ORACLE_DEVNET, FEED.into()][numbers.below(3)];
        let key = [KEY, KEY, KEY, owner][numbers.below(4)];
        let account = TestAccount { key, owner, data };
        let same = compare(
            account,
            |info| push::read(info, &KEY),
            |account| account.push(&KEY),
        );
        accepted += u32::from(same);
    }
    assert!((500..4_500).contains(&accepted), "{accepted} accepted");
}

#[test]
fn the_adapter_is_the_configured_one() {
    let read = |kind| {
        let config = OracleConfig {
            kind,
            feed_id: FEED,
            push_account: KEY,
            tick_nano: 1_000_000,
            ..OracleConfig::default()
        };
        let account = TestAccount {
            key: KEY,
            owner: pyth_solana_receiver_sdk::ID,
            data: Vec::new(),
        };
        with_account(account, |info| read_price(&config, info)).unwrap_err()
    };
    assert_eq!(read(ORACLE_PULL), error!(BallastError::PriceInvalidAccount));
    assert_eq!(read(ORACLE_PUSH), error!(BallastError::PriceWrongOwner));
    assert_eq!(read(2), error!(BallastError::OracleConfigInvalid));
}
