//! Creates the board of cross margin.

use anchor_lang::prelude::*;
use ballast_state::{
    cross::{CrossBoard, BOARD_DISCRIMINATOR, BOARD_VERSION},
    error::BallastError,
    events::BoardCreated,
    exchange::Exchange,
    seeds::{BOARD, BOARD_ADDRESS, BOARD_SEED, EXCHANGE_ADDRESS},
};

use crate::loaders::{board_account::BoardAccount, created::create_at, current::Current};
use crate::{emit::emit, error::error, nonce::refuse_nonce};

/// Accounts of `create_board`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateBoard<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the board, at its derived address; the system program creates it once.
    #[account(mut, address = BOARD_ADDRESS @ BallastError::WrongBoard)]
    pub board: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl CreateBoard<'_> {
    /// Creates the board, without any market.
    ///
    /// # Errors
    /// `NotAdmin`, `DurableNonce`; those of the system program where there is a board.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        refuse_nonce(&accounts.instructions)?;
        let exchange = accounts.exchange.current()?;
        exchange.require_admin(accounts.admin.key)?;
        drop(exchange);
        let seeds: &[&[u8]] = &[BOARD_SEED, &[BOARD.1]];
        create_at(&accounts.board, &accounts.payer, seeds, CrossBoard::SPACE)?;
        {
            let mut data = accounts.board.try_borrow_mut_data()?;
            let (discriminator, body) = data
                .split_at_mut_checked(BOARD_DISCRIMINATOR.len())
                .ok_or_else(|| error!(BallastError::BoardLayout))?;
            discriminator.copy_from_slice(&BOARD_DISCRIMINATOR);
            let board: &mut CrossBoard = bytemuck::try_from_bytes_mut(body)
                .map_err(|_| error!(BallastError::BoardLayout))?;
            board.version = BOARD_VERSION;
        }
        BoardAccount::load(&accounts.board)?.read()?;
        emit(
            &accounts.event_authority,
            &BoardCreated {
                board: accounts.board.key(),
            },
        )
    }
}
