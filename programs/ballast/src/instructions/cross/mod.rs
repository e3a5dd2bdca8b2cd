//! Cross margin: the board, the pool that legs share, and what is done to legs.

pub mod auto_deleverage_cross;
pub mod block_trade_cross;
pub mod convert_margin;
pub mod create_board;
pub mod cut_list;
pub mod enable_cross;
pub mod flag_leg;
pub mod freeze_mark;
pub mod leg_taker;
pub mod liquidate_leg;
pub mod move_cross;
pub mod part_leg;
pub mod record_marks;
pub mod records;
pub mod refresh_ranks;
pub mod trade_leg;
pub mod witness_ranks;
