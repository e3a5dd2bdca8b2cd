//! What Anchor asks of events and errors. Accounts derive it where they are defined.

use alloc::{string::ToString, vec::Vec};

use anchor_lang::error::{AnchorError, Error};

use crate::{
    error::BallastError,
    events::{self, Event},
    for_each_event,
    gate::{Gate, GateError, GATE_DISCRIMINATOR, GATE_ID},
};

macro_rules! errors {
    ($($error:ident),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::from(AnchorError {
                    error_name: error.name().to_string(),
                    error_code_number: error.number(),
                    error_msg: error.message().to_string(),
                    error_origin: None,
                    compared_values: None,
                })
            }
        })*
    };
}

errors!(BallastError, GateError);

macro_rules! events {
    ($($name:ident $bytes:expr;)*) => {
        $(
            impl anchor_lang::Discriminator for events::$name {
                const DISCRIMINATOR: &'static [u8] = &<Self as Event>::DISCRIMINATOR;
            }

            impl anchor_lang::Event for events::$name {
                fn data(&self) -> Vec<u8> {
                    let mut data = Vec::with_capacity(256);
                    data.extend_from_slice(&<Self as Event>::DISCRIMINATOR);
                    // Writing to memory does not fail.
                    borsh::BorshSerialize::serialize(self, &mut data).ok();
                    data
                }
            }
        )*
    };
}

for_each_event!(events);

impl anchor_lang::ZeroCopy for Gate {}

impl anchor_lang::Discriminator for Gate {
    const DISCRIMINATOR: &'static [u8] = &GATE_DISCRIMINATOR;
}

impl anchor_lang::Owner for Gate {
    fn owner() -> crate::Pubkey {
        GATE_ID
    }
}
