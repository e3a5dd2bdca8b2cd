//! Writes Pyth price updates on a test validator.
//!
//! Loaded at the address of Pyth's receiver program, it stands in for it: it writes
//! `PriceUpdateV2` accounts byte for byte as the receiver does, without the signatures of
//! Wormhole's guardians. Its one instruction takes two accounts:
//!
//! 0. `[writable]` the price account, of [`PriceUpdateV2::LEN`] bytes and owned by the program. It
//!    signs while it is empty.
//! 1. `[signer]` its write authority: whoever wrote it first.
//!
//! Instruction data: the Borsh form of a [`Price`]. The update is fully verified; its time and slot
//! are the cluster's own.

use anchor_lang::prelude::{
    borsh, AccountInfo, AnchorDeserialize, AnchorSerialize, Clock, Pubkey, SolanaSysvar,
};
use anchor_lang::solana_program::entrypoint::ProgramResult;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use anchor_lang::solana_program::program_error::ProgramError;
use anchor_lang::{AccountDeserialize, AccountSerialize};
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

#[cfg(target_os = "solana")]
mod entrypoint;

/// A price to publish. `price`, `conf` and the averages are mantissas: the quote currency times
/// `10^-exponent`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Feed the price belongs to.
    pub feed_id: [u8; 32],
    /// Price in units of 10^exponent.
    pub price: i64,
    /// Half width of the confidence interval.
    pub conf: u64,
    /// Power of ten of every mantissa.
    pub exponent: i32,
    /// Exponentially weighted moving average of the price.
    pub ema_price: i64,
    /// The same average of the confidence.
    pub ema_conf: u64,
}

/// Publishes `price` in the account `target`, which signs too while it is `empty`.
///
/// # Errors
/// Serialising into a vector fails when memory runs out.
pub fn publish(
    target: Pubkey,
    empty: bool,
    write_authority: Pubkey,
    price: &Price,
) -> std::io::Result<Instruction> {
    Ok(Instruction {
        program_id: pyth_solana_receiver_sdk::ID,
        accounts: vec![
            AccountMeta::new(target, empty),
            AccountMeta::new_readonly(write_authority, true),
        ],
        data: borsh::to_vec(price)?,
    })
}

/// What the program does.
///
/// # Errors
/// `NotEnoughAccountKeys`, `InvalidInstructionData`, `IncorrectProgramId` for an account of another
/// owner, `AccountDataTooSmall`, `MissingRequiredSignature`, `IncorrectAuthority`.
pub fn process(program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let [target, authority] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let price = Price::try_from_slice(data).map_err(|_| ProgramError::InvalidInstructionData)?;
    if target.owner != program {
        return Err(ProgramError::IncorrectProgramId);
    }
    let mut bytes = target.try_borrow_mut_data()?;
    if bytes.len() < PriceUpdateV2::LEN {
        return Err(ProgramError::AccountDataTooSmall);
    }
    let before = PriceUpdateV2::try_deserialize(&mut &bytes[..]).ok();
    authorize(target, authority, before.as_ref())?;
    let update = price.update(*authority.key, before.as_ref(), &Clock::get()?);
    update
        .try_serialize(&mut &mut bytes[..])
        .map_err(|_| ProgramError::AccountDataTooSmall)
}

fn authorize(
    target: &AccountInfo,
    authority: &AccountInfo,
    before: Option<&PriceUpdateV2>,
) -> ProgramResult {
    if !authority.is_signer || before.is_none() && !target.is_signer {
        return Err(ProgramError::MissingRequiredSignature);
    }
    match before {
        Some(update) if update.write_authority != *authority.key => {
            Err(ProgramError::IncorrectAuthority)
        }
        _ => Ok(()),
    }
}

impl Price {
    /// The update that publishes this price now.
    pub fn update(
        &self,
        write_authority: Pubkey,
        before: Option<&PriceUpdateV2>,
        clock: &Clock,
    ) -> PriceUpdateV2 {
        let publish_time = clock.unix_timestamp;
        PriceUpdateV2 {
            write_authority,
            verification_level: VerificationLevel::Full,
            price_message: PriceFeedMessage {
                feed_id: self.feed_id,
                price: self.price,
                conf: self.conf,
                exponent: self.exponent,
                publish_time,
                prev_publish_time: before
                    .map_or(publish_time, |update| update.price_message.publish_time),
                ema_price: self.ema_price,
                ema_conf: self.ema_conf,
            },
            posted_slot: clock.slot,
        }
    }
}
