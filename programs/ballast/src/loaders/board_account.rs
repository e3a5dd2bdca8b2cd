//! The board of cross margin: a plain account at its derived address.

use core::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use ballast_state::{
    cross::{CrossBoard, BOARD_DISCRIMINATOR, BOARD_VERSION},
    error::BallastError,
    seeds::BOARD_ADDRESS,
};

use crate::error::{error, require, require_keys_eq};

/// The board's account, checked.
pub struct BoardAccount<'a, 'info> {
    account: &'a AccountInfo<'info>,
}

impl<'a, 'info> BoardAccount<'a, 'info> {
    /// Checks address and owner.
    ///
    /// # Errors
    /// `WrongBoard`.
    pub fn load(account: &'a AccountInfo<'info>) -> Result<Self> {
        require_keys_eq!(*account.key, BOARD_ADDRESS, BallastError::WrongBoard);
        require_keys_eq!(*account.owner, crate::ID, BallastError::WrongBoard);
        Ok(Self { account })
    }

    /// The board, to read.
    ///
    /// # Errors
    /// `BoardLayout`.
    pub fn read(&self) -> Result<Ref<'a, CrossBoard>> {
        let data = self.account.try_borrow_data()?;
        let board = Ref::filter_map(data, |data| {
            let bytes = data.strip_prefix(&BOARD_DISCRIMINATOR)?;
            let board: &CrossBoard = bytemuck::try_from_bytes(bytes).ok()?;
            (board.version == BOARD_VERSION).then_some(board)
        });
        board.map_err(|_| error!(BallastError::BoardLayout))
    }

    /// The board, to be written.
    ///
    /// # Errors
    /// `BoardLayout`; `WrongBoard` where it is not writable.
    pub fn write(&self) -> Result<RefMut<'a, CrossBoard>> {
        require!(self.account.is_writable, BallastError::WrongBoard);
        let data = self.account.try_borrow_mut_data()?;
        let board = RefMut::filter_map(data, |data| {
            let bytes = data
                .split_at_mut_checked(BOARD_DISCRIMINATOR.len())
                .filter(|(first, _)| **first == BOARD_DISCRIMINATOR)?
                .1;
            let board: &mut CrossBoard = bytemuck::try_from_bytes_mut(bytes).ok()?;
            (board.version == BOARD_VERSION).then_some(board)
        });
        board.map_err(|_| error!(BallastError::BoardLayout))
    }
}
