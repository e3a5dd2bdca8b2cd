//! Prints what the IDL says of events, errors and constants: the IDL builder collects what the
//! tests of this crate print, and these stand in `ballast_state`.

use std::collections::BTreeMap;

use anchor_lang::idl::serde_json::{self, json, Value};
use anchor_lang::{
    idl::{
        build::IdlBuild,
        types::{IdlArrayLen, IdlConst, IdlErrorCode, IdlEvent, IdlType},
    },
    prelude::*,
};
use ballast_state::{
    book_account::BOOK_DISCRIMINATOR,
    cross::{BOARD_DISCRIMINATOR, CROSS_QUEUE_DISCRIMINATOR},
    error::BallastError,
    events, for_each_event,
    queue_account::QUEUE_DISCRIMINATOR,
};

fn print(section: &str, value: &Value) {
    println!("--- IDL begin {section} ---");
    println!("{}", serde_json::to_string_pretty(value).unwrap());
    println!("--- IDL end {section} ---");
}

fn print_event<E: events::Event + IdlBuild>() {
    let mut types = BTreeMap::new();
    E::insert_types(&mut types);
    let event = E::create_type().unwrap();
    let described = IdlEvent {
        name: event.name.clone(),
        discriminator: E::DISCRIMINATOR.to_vec(),
    };
    types.insert(event.name.clone(), event);
    let types: Vec<_> = types.into_values().collect();
    print("event", &json!({ "event": described, "types": types }));
}

macro_rules! print_events {
    ($($name:ident $bytes:expr;)*) => {
        $(print_event::<events::$name>();)*
    };
}

#[test]
fn __anchor_private_print_idl_events() {
    for_each_event!(print_events);
}

#[test]
fn __anchor_private_print_idl_errors() {
    let errors: Vec<_> = BallastError::ALL
        .iter()
        .map(|error| IdlErrorCode {
            code: error.number(),
            name: error.name().into(),
            msg: Some(error.message().into()),
        })
        .collect();
    print("errors", &serde_json::to_value(errors).unwrap());
}

#[test]
fn __anchor_private_print_idl_constants() {
    for (name, account, value) in [
        ("BOOK_DISCRIMINATOR", "book", BOOK_DISCRIMINATOR),
        ("QUEUE_DISCRIMINATOR", "queue", QUEUE_DISCRIMINATOR),
        ("BOARD_DISCRIMINATOR", "board", BOARD_DISCRIMINATOR),
        (
            "CROSS_QUEUE_DISCRIMINATOR",
            "cross queue",
            CROSS_QUEUE_DISCRIMINATOR,
        ),
    ] {
        let constant = IdlConst {
            name: name.into(),
            docs: vec![format!("First bytes of an initialised {account} account.")],
            ty: IdlType::Array(Box::new(IdlType::U8), IdlArrayLen::Value(value.len())),
            value: format!("{value:?}"),
        };
        print("const", &serde_json::to_value(constant).unwrap());
    }
}
