//! Events as JSON, with the names of the interface description that the program publishes: numbers of 64 bits
//! as decimal strings, keys in base58, enums by their names.

use std::collections::HashMap;
use std::sync::LazyLock;

use ballast_state::events::BallastEvent;
use ballast_view::staged::hex;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The description, as it is committed.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let text = include_str!("../../../idl/ballast.json");
    let read: Result<Description, _> = serde_json::from_str(text);
    read.unwrap_or_default()
});
/// Its types by name.
static TYPES: LazyLock<HashMap<&'static str, &'static Shape>> = LazyLock::new(|| {
    let types = DESCRIPTION.types.iter();
    types.map(|one| (one.name.as_str(), &one.shape)).collect()
});

#[derive(Debug, Default, Deserialize)]
struct Description {
    types: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "type")]
    shape: Shape,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Struct {
        #[serde(default)]
        fields: Vec<Field>,
    },
    Enum {
        variants: Vec<Variant>,
    },
}

#[derive(Debug, Deserialize)]
struct Variant {
    name: String,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Field {
    Named {
        name: String,
        #[serde(rename = "type")]
        of: Type,
    },
    Bare(Type),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I32,
    I64,
    I128,
    U128,
    Pubkey,
    String,
    Bytes,
    Vec(Box<Type>),
    Option(Box<Type>),
    Array(Box<Type>, usize),
    Defined { name: String },
}

macro_rules! fields_of {
    ($($name:ident $bytes:expr;)*) => {
        fn fields_of(event: &BallastEvent) -> Vec<u8> {
            match event {
                $(BallastEvent::$name(event) => borsh::to_vec(event.as_ref()).unwrap_or_default(),)*
            }
        }
    };
}
ballast_state::for_each_event!(fields_of);

/// The fields of an event; `None` where the description does not fit its bytes.
#[must_use]
pub fn json(event: &BallastEvent) -> Option<Value> {
    let bytes = fields_of(event);
    let mut rest = bytes.as_slice();
    let value = defined(event.name(), &mut rest)?;
    rest.is_empty().then_some(value)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn word<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    take(bytes, N)?.try_into().ok()
}

fn count(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(word(bytes)?)).ok()
}

fn defined(name: &str, bytes: &mut &[u8]) -> Option<Value> {
    match TYPES.get(name)? {
        Shape::Struct { fields } => members(fields, bytes),
        Shape::Enum { variants } => {
            let [number] = word(bytes)?;
            let variant = variants.get(usize::from(number))?;
            if variant.fields.is_empty() {
                return Some(variant.name.clone().into());
            }
            let inner = members(&variant.fields, bytes)?;
            Some(Map::from_iter([(variant.name.clone(), inner)]).into())
        }
    }
}

/// Named fields as an object, bare ones as what they are: alone, or in a list.
fn members(fields: &[Field], bytes: &mut &[u8]) -> Option<Value> {
    let mut named = Map::new();
    let mut bare = Vec::new();
    for field in fields {
        match field {
            Field::Named { name, of } => {
                named.insert(name.clone(), value(of, bytes)?);
            }
            Field::Bare(of) => bare.push(value(of, bytes)?),
        }
    }
    Some(match (bare.len(), named.is_empty()) {
        (0, _) => named.into(),
        (1, true) => bare.remove(0),
        _ => bare.into(),
    })
}

fn value(of: &Type, bytes: &mut &[u8]) -> Option<Value> {
    Some(match of {
        Type::Bool => (word::<1>(bytes)? != [0]).into(),
        Type::U8 => u8::from_le_bytes(word(bytes)?).into(),
        Type::U16 => u16::from_le_bytes(word(bytes)?).into(),
        Type::U32 => u32::from_le_bytes(word(bytes)?).into(),
        Type::I32 => i32::from_le_bytes(word(bytes)?).into(),
        Type::U64 => u64::from_le_bytes(word(bytes)?).to_string().into(),
        Type::I64 => i64::from_le_bytes(word(bytes)?).to_string().into(),
        Type::U128 => u128::from_le_bytes(word(bytes)?).to_string().into(),
        Type::I128 => i128::from_le_bytes(word(bytes)?).to_string().into(),
        Type::Pubkey => bs58::encode(word::<32>(bytes)?).into_string().into(),
        Type::String => {
            let count = count(bytes)?;
            String::from_utf8_lossy(take(bytes, count)?).into()
        }
        Type::Bytes => {
            let count = count(bytes)?;
            hex(take(bytes, count)?).into()
        }
        // Keys of feeds, names and ids.
        Type::Array(of, count) if matches!(**of, Type::U8) => hex(take(bytes, *count)?).into(),
        Type::Array(of, count) => list(of, *count, bytes)?,
        Type::Vec(of) => {
            let count = count(bytes)?;
            list(of, count, bytes)?
        }
        Type::Option(of) => match word(bytes)? {
            [0] => Value::Null,
            _ => value(of, bytes)?,
        },
        Type::Defined { name } => defined(name, bytes)?,
    })
}

fn list(of: &Type, count: usize, bytes: &mut &[u8]) -> Option<Value> {
    (0..count).map(|_| value(of, bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_state::book_account::OrderSide;
    use ballast_state::events::{AuthorityAccepted, ChangeStaged, OrderPlaced, ProtectionSet};
    use ballast_state::exchange::{Delays, Role};
    use ballast_state::order_args::OrderKind;
    use ballast_state::staged::Change;
    use ballast_state::Pubkey;
    use serde_json::json;

    macro_rules! names {
        ($($name:ident $bytes:expr;)*) => { [$(stringify!($name)),*] };
    }

    #[test]
    fn every_event_is_described() {
        for name in ballast_state::for_each_event!(names) {
            assert!(TYPES.contains_key(name), "{name}");
        }
    }

    #[test]
    fn numbers_are_exact_and_enums_have_names() {
        let key = Pubkey::new_from_array([3; 32]);
        let event = OrderPlaced {
            market: key,
            trader: key,
            order_id: u64::MAX,
            client_id: 0,
            side: OrderSide::Ask,
            kind: OrderKind::PostOnly,
            reduce_only: true,
            price_ticks: 9_007_199_254_740_993,
            expires_at: -1,
            lots: 1,
            filled_lots: 0,
            resting_lots: 1,
            dropped_lots: 0,
            reserved_atoms: 0,
            mark_ticks: 2,
            funding_index: -3,
            open_interest_after: 4,
            collected_atoms: 0,
            taker: None,
            cancelled: Vec::new(),
            fills: Vec::new(),
            removed: Vec::new(),
            kept_orders: 7,
        };
        let shown = json(&BallastEvent::OrderPlaced(Box::new(event))).unwrap();
        assert_eq!(shown["market"], key.to_string());
        assert_eq!(shown["order_id"], "18446744073709551615");
        assert_eq!(shown["price_ticks"], "9007199254740993");
        assert_eq!(shown["funding_index"], "-3");
        assert_eq!(
            (&shown["side"], &shown["kind"]),
            (&json!("Ask"), &json!("PostOnly"))
        );
        assert_eq!(
            (&shown["taker"], &shown["kept_orders"]),
            (&Value::Null, &json!(7))
        );
    }

    #[test]
    fn what_an_enum_holds_is_shown_under_its_name() {
        let key = Pubkey::new_from_array([3; 32]);
        let staged = |change| {
            let event = ChangeStaged {
                staged: key,
                id: [171; 32],
                target: key,
                proposer: key,
                eta_slot: 1,
                expires_slot: 2,
                change,
            };
            json(&BallastEvent::ChangeStaged(Box::new(event))).unwrap()
        };
        let delays = Delays {
            risk_slots: 5,
            admin_slots: 6,
        };
        let shown = staged(Change::Delays(delays));
        assert_eq!(shown["id"], "ab".repeat(32));
        assert_eq!(
            shown["change"],
            json!({"Delays": {"risk_slots": "5", "admin_slots": "6"}})
        );
        assert_eq!(staged(Change::Delist)["change"], json!("Delist"));
        let accepted = AuthorityAccepted {
            role: Role::Guardian,
            former: key,
            holder: key,
        };
        let accepted = BallastEvent::AuthorityAccepted(Box::new(accepted));
        assert_eq!(json(&accepted).unwrap()["role"], "Guardian");
        let steps = ProtectionSet {
            market: key,
            trader: key,
            base_lots: 0,
            slip_bps: 0,
            steps: Vec::new(),
        };
        let steps = BallastEvent::ProtectionSet(Box::new(steps));
        assert_eq!(json(&steps).unwrap()["steps"], json!([]));
    }
}
