//! `idl/ballast.json` says what the program does: addresses, first bytes, accounts of every
//! instruction, numbers and messages of errors, and where each field of an account lies.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::{offset_of, size_of};

use ballast_engine::book::{BookHeader, Order};
use ballast_engine::funding::FundingState as FundingLedger;
use ballast_engine::held::HeldProfit as HeldLedger;
use ballast_engine::insurance::InsuranceState as InsuranceLedger;
use ballast_engine::oracle::PriceClock;
use ballast_engine::pool::PoolParams as PoolConfig;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::queue::{QueueEntry, QueueHeader, Watch};
use ballast_engine::risk::{
    AdlParams as AdlConfig, LadderStep, RiskParams as RiskConfig, RiskTier,
};
use ballast_engine::selection::{Member, Selection};
use ballast_engine::slab::{Links, TreeHeader};
use ballast_engine::volatility::Volatility;
use ballast_engine::wind_down::WindDown as MarketEnd;
use ballast_state::adl_session::{AdlSession, ADL_SESSION_DISCRIMINATOR};
use ballast_state::book_account::BOOK_DISCRIMINATOR;
use ballast_state::cross::{BOARD_DISCRIMINATOR, CROSS_QUEUE_DISCRIMINATOR};
use ballast_state::error::BallastError;
use ballast_state::exchange::{Exchange, EXCHANGE_DISCRIMINATOR};
use ballast_state::last_price::LastPrice;
use ballast_state::market::{Market, MARKET_DISCRIMINATOR};
use ballast_state::oracle_config::OracleConfig;
use ballast_state::pause::{LongPause, Pause};
use ballast_state::pool::{Pool, POOL_DISCRIMINATOR};
use ballast_state::position_slot::PositionSlot;
use ballast_state::protection::{Protection, PROTECTION_DISCRIMINATOR};
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;
use ballast_state::share::{Share, SHARE_DISCRIMINATOR};
use ballast_state::staged::{Staged, STAGED_DISCRIMINATOR};
use ballast_state::stakes::{Stakes, STAKES_DISCRIMINATOR};
use ballast_state::trader::{Trader, TRADER_DISCRIMINATOR};
use ballast_state::trigger::Trigger;
use ballast_state::witnessed::Witnessed;
use ballast_state::Pubkey;
use serde_json::Value;

pub fn idl() -> Value {
    let path = crate::file("idl/ballast.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The first bytes of what a section lists, by name.
fn discriminators(section: &Value) -> BTreeMap<&str, Vec<u8>> {
    let described = list(section).iter();
    described
        .map(|one| (text(&one["name"]), bytes(&one["discriminator"])))
        .collect()
}

#[test]
fn instructions_have_the_clients_bytes_and_accounts() {
    let idl = idl();
    assert_eq!(text(&idl["address"]), ballast_state::ID.to_string());
    let built: BTreeMap<_, _> = crate::instructions::all().into_iter().collect();
    let described = list(&idl["instructions"]);
    let names: BTreeSet<_> = described.iter().map(|one| text(&one["name"])).collect();
    assert_eq!(names, built.keys().copied().collect());
    for instruction in described {
        let name = text(&instruction["name"]);
        let (data, metas) = (&built[name].data, &built[name].accounts);
        assert_eq!(bytes(&instruction["discriminator"]), data[..8], "{name}");
        assert!(!list(&instruction["docs"]).is_empty(), "{name}");
        let accounts = list(&instruction["accounts"]);
        assert!(accounts.len() <= metas.len(), "{name}");
        for (account, meta) in accounts.iter().zip(metas) {
            let place = format!("{name}: {}", account["name"]);
            let flag = |flag: &str| account[flag].as_bool().unwrap_or(false);
            if flag("optional") && meta.pubkey == ballast_state::ID {
                // Not given: the program's own key stands for it.
                assert!(!meta.is_writable && !meta.is_signer, "{place}");
                continue;
            }
            assert_eq!(flag("writable"), meta.is_writable, "{place}");
            assert_eq!(flag("signer"), meta.is_signer, "{place}");
            if let Some(address) = account["address"].as_str() {
                assert_eq!(address, meta.pubkey.to_string(), "{place}");
            }
        }
        // What the IDL does not name are the accounts that a list adds, written but for prices.
        for (place, meta) in metas[accounts.len()..].iter().enumerate() {
            let price = name == "record_marks" && place % 2 == 1;
            assert!(meta.is_writable != price && !meta.is_signer, "{name}");
        }
    }
}

#[test]
fn instructions_have_the_programs_first_bytes() {
    let listed = ballast_state::instructions::ALL.iter();
    let expected: BTreeMap<_, _> = listed
        .map(|(name, bytes)| (*name, bytes.to_vec()))
        .collect();
    assert_eq!(discriminators(&idl()["instructions"]), expected);
}

#[test]
fn accounts_have_the_programs_first_bytes() {
    let idl = idl();
    let expected: BTreeMap<_, _> = [
        ("AdlSession", ADL_SESSION_DISCRIMINATOR.to_vec()),
        ("Exchange", EXCHANGE_DISCRIMINATOR.to_vec()),
        ("Market", MARKET_DISCRIMINATOR.to_vec()),
        ("Pool", POOL_DISCRIMINATOR.to_vec()),
        ("Protection", PROTECTION_DISCRIMINATOR.to_vec()),
        ("Share", SHARE_DISCRIMINATOR.to_vec()),
        ("Staged", STAGED_DISCRIMINATOR.to_vec()),
        ("Stakes", STAKES_DISCRIMINATOR.to_vec()),
        ("Trader", TRADER_DISCRIMINATOR.to_vec()),
    ]
    .into();
    assert_eq!(discriminators(&idl["accounts"]), expected);
    let constants: BTreeMap<_, _> = list(&idl["constants"])
        .iter()
        .map(|one| (text(&one["name"]), text(&one["value"]).to_owned()))
        .collect();
    let expected: BTreeMap<_, _> = [
        ("BOARD_DISCRIMINATOR", format!("{BOARD_DISCRIMINATOR:?}")),
        ("BOOK_DISCRIMINATOR", format!("{BOOK_DISCRIMINATOR:?}")),
        (
            "CROSS_QUEUE_DISCRIMINATOR",
            format!("{CROSS_QUEUE_DISCRIMINATOR:?}"),
        ),
        ("QUEUE_DISCRIMINATOR", format!("{QUEUE_DISCRIMINATOR:?}")),
    ]
    .into();
    assert_eq!(constants, expected);
}

macro_rules! first_bytes {
    ($($name:ident $bytes:expr;)*) => {
        [$((stringify!($name), Vec::from($bytes))),*].into()
    };
}

#[test]
fn events_have_the_programs_first_bytes() {
    let expected: BTreeMap<_, _> = ballast_state::for_each_event!(first_bytes);
    assert_eq!(discriminators(&idl()["events"]), expected);
}

#[test]
fn errors_have_the_programs_numbers_names_and_messages() {
    let idl = idl();
    let described: Vec<_> = list(&idl["errors"])
        .iter()
        .map(|one| {
            (
                one["code"].as_u64().unwrap(),
                text(&one["name"]).to_owned(),
                text(&one["msg"]).to_owned(),
            )
        })
        .collect();
    let expected: Vec<_> = BallastError::ALL
        .iter()
        .map(|error| {
            (
                u64::from(u32::from(*error)),
                error.name().to_owned(),
                error.message().to_owned(),
            )
        })
        .collect();
    assert_eq!(described, expected);
}

/// Where a field lies and what it is.
struct Field {
    name: &'static str,
    offset: usize,
    size: usize,
    kind: &'static str,
}

/// A field by the function that reaches it.
fn field<T, F>(name: &'static str, offset: usize, _: fn(&T) -> &F) -> Field {
    Field {
        name,
        offset,
        size: size_of::<F>(),
        kind: type_name::<F>(),
    }
}

macro_rules! layouts {
    (
        whole: { $($whole:ident { $($field:ident),* })* }
        part: { $($part:ident { $($public:ident),* })* }
    ) => {
        fn layouts() -> Vec<(&'static str, usize, bool, Vec<Field>)> {
            vec![
                $((stringify!($whole), size_of::<$whole>(), true, vec![
                    $(field(stringify!($field), offset_of!($whole, $field), |it: &$whole| &it.$field)),*
                ]),)*
                $((stringify!($part), size_of::<$part>(), false, vec![
                    $(field(stringify!($public), offset_of!($part, $public), |it: &$part| &it.$public)),*
                ]),)*
            ]
        }
    };
}

account_types!(layouts);

/// The types of the IDL, laid out as C does.
pub struct Types<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Types<'a> {
    pub fn of(idl: &'a Value) -> Self {
        let entry = |one: &'a Value| (text(&one["name"]), one);
        Self(list(&idl["types"]).iter().map(entry).collect())
    }

    /// Those laid out as C does.
    pub fn laid_out(&self) -> impl Iterator<Item = &'a str> + '_ {
        let plain = self.0.iter().filter(|(_, one)| !one["repr"].is_null());
        plain.map(|(name, _)| *name)
    }

    /// Name, offset and type of each field.
    pub fn fields(&self, name: &str) -> Vec<(&'a str, usize, &'a Value)> {
        let described = self.0[name];
        assert_eq!(described["repr"]["kind"], "c", "{name}");
        let mut end = 0_usize;
        let mut fields = Vec::new();
        for field in list(&described["type"]["fields"]) {
            let (size, align) = self.size(&field["type"]);
            // Without gaps C's layout is also the order in which Borsh writes the fields.
            assert!(end.is_multiple_of(align), "{name}: {}", field["name"]);
            fields.push((text(&field["name"]), end, &field["type"]));
            end += size;
        }
        fields
    }

    /// Size and alignment.
    pub fn size(&self, kind: &Value) -> (usize, usize) {
        if let Some(array) = kind["array"].as_array() {
            let (size, align) = self.size(&array[0]);
            let count = usize::try_from(array[1].as_u64().unwrap()).unwrap();
            return (size * count, align);
        }
        if let Some(name) = kind["defined"]["name"].as_str() {
            let fields = self.fields(name);
            let sizes = fields.iter().map(|(_, offset, kind)| {
                let (size, align) = self.size(kind);
                (offset + size, align)
            });
            let (end, align) = sizes.fold((0, 1), |all, one| (all.0.max(one.0), all.1.max(one.1)));
            return (end.next_multiple_of(align), align);
        }
        match text(kind) {
            "u8" | "i8" => (1, 1),
            "u16" | "i16" => (2, 2),
            "u32" | "i32" => (4, 4),
            "u64" | "i64" => (8, 8),
            "pubkey" => (32, 1),
            other => panic!("{other} in an account"),
        }
    }
}

/// The type as Rust prints it, without paths.
pub fn describe(kind: &Value) -> String {
    if let Some(array) = kind["array"].as_array() {
        return format!("[{}; {}]", describe(&array[0]), array[1]);
    }
    match kind["defined"]["name"].as_str() {
        Some(name) => name.to_owned(),
        None if text(kind) == "pubkey" => last(type_name::<Pubkey>()).to_owned(),
        None => text(kind).to_owned(),
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap()
}

/// A type's name without paths; the engine's keys are bytes, its index a number with a unit; its
/// types of ledgers and parameters have names of their own in the IDL.
fn printed(kind: &str, expected: &Value) -> String {
    if kind == "[u8; 32]" && expected == "pubkey" {
        return describe(expected);
    }
    if let Some(array) = kind.strip_prefix('[') {
        return format!("[{}", last(array));
    }
    let name = match last(kind) {
        "FundingIndex" => "i64",
        "RiskParams" => "RiskConfig",
        "AdlParams" => "AdlConfig",
        "PoolParams" => "PoolConfig",
        "FundingState" => "FundingLedger",
        "InsuranceState" => "InsuranceLedger",
        "HeldProfit" => "HeldLedger",
        "WindDown" => "MarketEnd",
        same => same,
    };
    name.to_owned()
}

#[test]
fn every_field_of_an_account_lies_where_the_idl_says() {
    let idl = idl();
    let types = Types::of(&idl);
    let layouts = layouts();
    for (name, size, whole, fields) in &layouts {
        let described: BTreeMap<_, _> = types
            .fields(name)
            .into_iter()
            .map(|(field, offset, kind)| (field, (offset, kind)))
            .collect();
        let link = serde_json::json!({ "defined": { "name": name } });
        assert_eq!(types.size(&link).0, *size, "{name}");
        assert!(!whole || described.len() == fields.len(), "{name}");
        for field in fields {
            let place = format!("{name}.{}", field.name);
            let (offset, kind) = described[field.name];
            assert_eq!(offset, field.offset, "{place}");
            assert_eq!(types.size(kind).0, field.size, "{place}");
            assert_eq!(describe(kind), printed(field.kind, kind), "{place}");
        }
    }
    let listed: BTreeSet<_> = layouts.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, types.laid_out().collect());
}
