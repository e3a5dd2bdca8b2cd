//! Every error number: provoked by a named case, or impossible for a stated reason.

use std::collections::BTreeSet;

use ballast_state::error::BallastError;

use crate::support::take_provoked;
use crate::{
    adl, adl_session, admin, block_trade, book_abuse, cancel, collateral, corrupt, cross,
    cross_forced, cross_refusals, ended_bankrupt, execute_trigger, fees, funding, guardian,
    held_profit, insurance_rest, liquidate, liquidate_book, long_pause, makers, margin, market,
    modes, nonce, oracle, oracle_change, order_limits, place_order, pool, pool_exit, pool_take,
    pool_unwind, protection, reduce_only, reopening, risk, self_trade, staging, stakes,
    trade_limits, trader, triggers, wind_down, write_off,
};

enum Evidence {
    /// This test provokes it.
    Case(fn()),
    /// Why no call can provoke it.
    Unreachable(&'static str),
}

use Evidence::{Case, Unreachable};

/// What shows that `error` works. A new error does not compile without.
fn evidence(error: BallastError) -> Evidence {
    use BallastError as E;
    match error {
        E::NotAdmin => Case(admin::only_the_admin_stages_a_successor),
        E::NotRiskAuthority => Case(risk::only_the_risk_authority_sets_parameters),
        E::NotGuardian => Case(admin::pause_flags_are_set_by_their_authority_or_the_admin),
        E::NotProposed => Case(admin::nobody_but_the_staged_accepts),
        E::NotOwner => Case(collateral::a_stranger_does_not_withdraw),
        E::NotTraderAuthority => Case(margin::strangers_do_not_move_margin),
        E::NotUpgradeAuthority => Case(admin::only_the_upgrade_authority_creates_the_exchange),
        E::AuthorityUnset => Case(admin::no_authority_may_be_unset_at_the_start),
        E::Paused => Case(admin::each_flag_pauses_its_action_and_no_other),
        E::PauseTooLong => Case(guardian::a_pause_is_not_longer_than_a_day),
        E::TooManyPauses => Case(guardian::three_pauses_begin_in_seven_days),
        E::UnknownPauseFlag => Case(admin::a_pause_flag_without_meaning_is_refused),

        E::WrongExchange => Case(admin::a_forged_exchange_is_not_the_exchange),
        E::WrongCollateralVault => Case(collateral::only_the_exchanges_vault_holds_collateral),
        E::WrongInsuranceVault => Case(collateral::insurance_of_another_market_is_not_touched),
        E::WrongMint => Case(collateral::another_mint_is_not_collateral),
        E::WrongTokenProgram => Case(collateral::the_token_program_must_be_the_mints),
        E::WrongTokenAccount => Case(collateral::another_mint_is_not_collateral),
        E::VaultAsCounterparty => Case(collateral::an_exchange_vault_is_no_destination),
        E::WrongQueue => Case(margin::queues_are_not_swapped_doubled_or_borrowed),
        E::QueueNotOwned => Case(market::a_queue_of_another_owner_is_refused),
        E::QueueNotWritable => Unreachable(
            "every instruction declares both queues writable, so Anchor's own check comes first",
        ),
        E::QueueNotZeroed => Case(market::a_queue_in_use_is_not_taken_over),
        E::QueueTooSmall => Case(market::a_queue_with_room_for_too_few_is_refused),
        E::QueueNotRentExempt => Case(market::a_queue_that_is_not_rent_exempt_is_refused),
        E::QueuesNotDistinct => Case(market::the_queues_must_be_two),
        E::TradersNotDistinct => Case(trade_limits::taker_and_maker_are_two_and_both_sign),
        E::MintExtensionRejected => Case(admin::mints_that_change_balances_are_rejected),
        E::TooManyMarkets => Case(market::the_last_market_is_the_65535th),
        E::MarketNameInvalid => Case(market::names_are_printable_and_padded),
        E::UnknownVersion => Case(corrupt::an_account_of_an_unknown_version_is_refused),
        E::AccountOutdated => Case(corrupt::an_account_of_the_version_before_is_refused),

        E::OracleConfigInvalid => Case(market::the_oracle_configuration_must_make_sense),
        E::PriceWrongOwner => {
            Case(oracle::a_pull_price_is_checked_for_owner_layout_verification_and_feed)
        }
        E::PriceWrongAccount => Case(oracle::a_push_price_is_checked_for_owner_address_and_layout),
        E::PriceInvalidAccount => {
            Case(oracle::a_push_price_is_checked_for_owner_address_and_layout)
        }
        E::PriceWrongFeed => {
            Case(oracle::a_pull_price_is_checked_for_owner_layout_verification_and_feed)
        }
        E::PriceNotVerified => {
            Case(oracle::a_pull_price_is_checked_for_owner_layout_verification_and_feed)
        }
        E::PriceStale => Case(funding::an_unfit_price_accrues_nothing),
        E::PriceFromFuture => Case(funding::an_unfit_price_accrues_nothing),
        E::PriceWideConfidence => Case(funding::an_unfit_price_accrues_nothing),
        E::PriceDiverged => Case(oracle::a_price_far_from_its_average_reduces_accrues_and_flags),
        E::PriceOlder => Case(funding::an_unfit_price_accrues_nothing),

        E::ZeroAmount => Case(collateral::nothing_is_not_an_amount),
        E::InsufficientCollateral => Case(collateral::more_than_there_is_cannot_be_moved),
        E::TraderNotEmpty => Case(trader::a_trader_with_collateral_or_a_position_is_not_closed),
        E::NoFreeSlot => Case(trader::the_seventeenth_market_finds_no_slot),
        E::NoPosition => Case(margin::there_must_be_a_position),
        E::ProfitIsHeld => {
            Case(held_profit::profit_is_not_put_into_a_new_position_while_the_market_is_short)
        }
        E::ProfitNotDue => Case(
            held_profit::what_is_held_becomes_free_once_the_market_is_not_short_of_it_at_a_newer_price,
        ),

        E::Overflow => Case(collateral::sums_beyond_an_i64_are_refused),
        E::PriceOutOfRange => Case(trade_limits::a_trade_price_is_within_range_and_band),
        E::SizeOutOfRange => Case(trade_limits::a_trade_needs_lots_within_range),
        E::QuoteOutOfRange => Unreachable(
            "trade and liquidation prices are within range before a position opens at them",
        ),
        E::PositionCorrupt => Case(corrupt::a_pass_that_the_queue_has_not_opened_is_refused),
        E::ZeroLots => Case(trade_limits::a_trade_needs_lots_within_range),
        E::NotAReduction => Unreachable(
            "liquidation and deleveraging derive their lots from the position they close",
        ),

        E::BelowInitialMargin => Case(trade_limits::both_parties_hold_initial_margin),
        E::MarginBelowZero => Case(margin::margin_is_not_taken_below_zero_against_a_profit),
        E::PriceOutsideBand => Case(trade_limits::a_trade_price_is_within_range_and_band),
        E::PositionTooSmall => Case(trade_limits::positions_left_are_not_too_small),
        E::PositionTooLarge => Case(trade_limits::positions_and_the_market_have_a_largest_size),
        E::OpenInterestLimit => Case(trade_limits::positions_and_the_market_have_a_largest_size),

        E::Healthy => Case(liquidate::a_healthy_position_is_left_alone),
        E::LadderInterval => Case(liquidate::the_next_step_waits_for_the_ladder),
        E::InsuranceCannotPay => Case(liquidate::insurance_pays_a_deficit_exactly),
        E::InsuranceCap => {
            Unreachable("payments are at most what the same instruction found available")
        }

        E::RiskTiers
        | E::RiskLadder
        | E::RiskSizes
        | E::RiskLiquidation
        | E::RiskBand
        | E::RiskFees
        | E::RiskFunding
        | E::RiskInsurance
        | E::RiskOracle
        | E::RiskAdl
        | E::RiskReserved => Case(risk::unsound_parameters_are_refused_by_group),

        E::QueueFull => Case(block_trade::a_full_queue_refuses_and_frees_its_nodes),
        E::QueueLayout => Case(corrupt::bytes_that_are_no_queue_are_refused),
        E::NodeNotFound => Case(corrupt::a_node_that_is_not_there_is_not_found),
        E::DuplicateKey => Unreachable("a queue gives every entry a sequence number of its own"),
        E::TreeCorrupt => Case(corrupt::a_node_of_somebody_else_does_not_rank),
        E::WrongSide => Unreachable(
            "positions enter the queue of their side; lists have an error of their own for it",
        ),
        E::EntryPriceOutOfRange => Unreachable("no price a position opens at reaches 2^31 atoms"),
        E::BankruptcyPriceOutOfRange => Case(margin::margin_has_a_ceiling_of_the_bankruptcy_price),
        E::ClosePriceOutOfRange => Unreachable(
            "a deficit puts the bankruptcy price on the losing side of the mark, and insurance \
             pays no more than the deficit",
        ),

        E::AdlSkippedCounterparty => Case(adl::nobody_ranked_higher_is_left_out),
        E::AdlListOutOfOrder => Case(adl::the_list_is_in_order),
        E::AdlWrongSide => {
            Unreachable("a listed position that is on the side of the bankrupt is passed by")
        }
        E::AdlDuplicateCounterparty | E::AdlBankruptInList => {
            Case(adl::the_list_names_distinct_counterparties_of_this_program)
        }
        E::AdlForeignAccount => Case(adl::a_forged_trader_is_foreign),
        E::AdlListTooLong => Case(adl::a_list_has_room_for_32),
        E::AdlSessionUnderWay => Case(adl_session::one_session_at_a_time),
        E::AdlSessionGone => Case(adl_session::a_session_the_queue_does_not_watch_for_is_refused),
        E::AdlSessionMismatch => Case(adl_session::a_session_is_for_one_position),
        E::AdlSessionExpired => Case(adl_session::a_session_expires_and_is_then_closed),
        E::AdlSessionIncomplete => Case(adl_session::a_riser_must_be_seen_before_the_execution),
        E::AdlSessionStale => Case(adl_session::a_change_of_the_bankrupt_ends_the_session),
        E::AdlSessionLive => Case(adl_session::a_session_expires_and_is_then_closed),
        E::AdlNotSelected => Case(adl_session::the_accounts_are_those_selected),
        E::AdlSessionSize => Case(adl_session::a_session_account_has_one_size),
        E::QueueGrowth => Case(market::a_queue_grows_by_what_the_runtime_allows),
        E::QueueTooLarge => Case(market::a_queue_grows_to_what_an_account_holds),
        E::NotBankrupt | E::InsuranceCanPay => {
            Case(adl::only_a_bankrupt_is_deleveraged_and_only_when_insurance_cannot_pay)
        }
        E::AdlNothingCut => Case(adl::a_round_cuts_somebody),
        E::AdlOvershoot => Unreachable(
            "quotes of the cuts are differences of one cumulative quote, so they add up to it",
        ),

        E::WrongBook => Case(cancel::the_book_is_the_markets),
        E::BookNotOwned => Case(market::a_book_of_another_owner_is_refused),
        E::BookNotWritable => Unreachable(
            "every instruction declares the book writable, so Anchor's own check comes first",
        ),
        E::BookNotZeroed => Case(market::every_byte_of_a_new_book_must_be_zero),
        E::BookTooSmall => Case(market::a_book_with_room_for_too_few_is_refused),
        E::BookNotRentExempt => Case(market::a_book_that_is_not_rent_exempt_is_refused),
        E::BookLayout => Case(corrupt::bytes_that_are_no_book_are_refused),
        E::OrderNotFound => Case(cancel::an_order_is_cancelled_once),
        E::NoTrigger => Case(triggers::a_trigger_is_cancelled_once),
        E::BookCanAbsorb => Case(cancel::the_book_comes_before_deleveraging),
        E::RiskBook => Case(risk::unsound_parameters_are_refused_by_group),
        E::MakerForeign => Case(makers::a_maker_is_an_account_of_the_program_and_writable),
        E::TooManyMakers => Case(makers::a_list_has_room_for_32_makers),
        E::TooManyReduceOnly => Case(book_abuse::a_trader_has_four_reduce_only_orders_a_market),
        E::ExpiryTooFar => Case(book_abuse::milliseconds_were_taken_for_seconds),
        E::TriggerNeverFills => Case(book_abuse::a_stop_that_can_never_fill_was_accepted),
        E::TooManyOrders => Case(order_limits::a_trader_has_sixteen_orders_a_market),
        E::DuplicateClientId => Case(order_limits::a_number_names_one_waiting_order),
        E::OrderTooSmall => Case(place_order::an_order_has_lots_a_price_and_time),
        E::OrderExpired => Case(place_order::an_order_has_lots_a_price_and_time),
        E::NothingToReduce => Case(reduce_only::there_must_be_a_position_on_the_other_side),
        E::PostOnlyCrosses => Case(place_order::post_only_waits_or_fails),
        E::QueuesMissing => Case(place_order::post_only_alone_goes_without_queues),
        E::NotFilled => Case(place_order::fill_or_kill_is_whole_or_nothing),
        E::SelfTrade => Case(self_trade::abort_fails),
        E::NothingFilled => {
            Case(execute_trigger::what_the_book_does_not_take_stays_and_the_reward_is_shared)
        }
        E::BookFull => Case(order_limits::a_full_side_of_the_book_refuses),
        E::TriggerNotReached => Case(execute_trigger::a_stop_loss_closes_at_its_price_or_better),
        E::ProtectiveSteps => Case(protection::steps_fall_and_are_one_to_four),
        E::ProtectionEnded => Case(protection::steps_end_with_their_position),
        E::ProtectionNotReached => {
            Case(protection::a_step_leaves_its_part_and_the_next_one_the_rest)
        }
        E::WrongProtection => Case(protection::steps_of_somebody_else_are_refused),
        E::LiquidationSkipsBook => Case(liquidate_book::a_better_bid_is_not_passed_over),

        E::DelegateMayNotBlockTrade => {
            Case(trader::a_delegate_emptied_the_account_by_block_trades_with_its_own)
        }
        E::MarketReduceOnly => {
            Case(modes::open_interest_does_not_rise_in_a_reduce_only_market_and_everything_else_goes_on)
        }
        E::MarketEnded => Case(wind_down::a_market_that_has_ended_does_nothing_but_settle),
        E::MarketTrades | E::EndNotDue | E::OracleAlive => {
            Case(wind_down::a_dead_feed_traps_nobody)
        }
        E::FeesPaidToday => Case(fees::a_quarter_goes_to_the_treasury_and_the_next_a_day_later),
        E::FeesReserved => Case(fees::the_reserve_stays),
        E::InsuranceDrawn => Case(fees::fees_stay_while_a_cap_limits_insurance),
        E::PoolCannotTake => Case(pool_take::a_pool_that_is_stopped_or_empty_takes_nothing),
        E::UnwindTooEarly => {
            Case(pool_unwind::an_unwind_sells_a_part_at_the_auctions_price_or_better)
        }
        E::InsuranceLimited => {
            Case(stakes::nobody_joins_insurance_that_has_paid_its_cap_and_not_resumed)
        }
        E::StakeFloor | E::ExitTooLittle => Case(stakes::the_floor_stays_and_the_least_is_kept),
        E::WrongStakes | E::StakesInvariant => {
            Case(stakes::nobody_joins_a_known_loss_or_the_wrong_way)
        }
        E::NothingToSync => Case(pool_unwind::margin_follows_the_price_both_ways),
        E::WrongPool | E::PoolClosed | E::DepositTooSmall => {
            Case(pool::deposits_are_refused_where_they_would_be_wrong)
        }
        E::WrongFund | E::SharesLeft => {
            Case(pool::accounts_for_shares_are_of_funds_and_closed_without_shares)
        }
        E::PoolInvariant | E::FundFull | E::FundSpent => {
            Case(pool::a_full_or_spent_pool_takes_nothing)
        }
        E::PoolParams => Case(pool::only_the_admin_creates_a_pool_within_its_bounds),
        E::SharesMissing | E::RequestMissing | E::RequestTooEarly | E::RequestLapsed => {
            Case(pool_exit::a_request_is_paid_in_its_window_only)
        }
        E::PoolHasPosition => Case(pool_exit::an_ended_market_pays_everybody_at_once),
        E::PoolUnhealthy => Case(pool_exit::nobody_leaves_a_pool_below_maintenance),
        E::NothingPayable => {
            Case(pool_exit::the_position_keeps_its_margin_and_the_rest_stays_requested)
        }
        E::PoolNotSpent => Case(pool_exit::a_spent_pool_begins_anew),
        E::WrongTreasury => Case(fees::nobody_but_the_treasury_is_paid),
        E::InsuranceRestNotDue | E::InsuranceNotLevel => {
            Case(insurance_rest::the_rest_goes_to_the_treasury_a_month_after_the_end)
        }
        E::MarketInsolvent => Case(ended_bankrupt::nobody_is_settled_while_somebody_is_bankrupt),
        E::CounterpartyCanBeCut => Case(write_off::nothing_is_written_off_while_somebody_can_be_cut),
        E::NotFarthestBankrupt => Case(write_off::the_farthest_beyond_the_last_price_comes_first),
        E::ClaimsNotCounted | E::NothingToCount | E::MarginAfterWriteOff => {
            Case(write_off::what_nobody_can_bear_is_borne_by_all_in_proportion)
        }
        E::MarketNotEmpty | E::WrongRentPayer => {
            Case(wind_down::queues_and_book_are_closed_when_nobody_has_anything_any_more)
        }

        E::Unbalanced => Unreachable(
            "the engine moves every atom from one leg to another, and the unit tests of the \
             settlement post each leg off by one",
        ),

        E::StagedMismatch => {
            Case(staging::a_change_is_applied_to_its_target_by_its_own_instruction)
        }
        E::StagedTooEarly | E::StagedExpired => {
            Case(staging::risk_parameters_wait_two_days_and_for_nobody_longer_than_nine)
        }
        E::StagedStale => Case(staging::a_change_of_the_base_voids_what_was_staged),
        E::StagedExists => Case(staging::one_change_of_a_kind_waits_for_each_target),
        E::MayNotCancel => Case(staging::the_guardian_the_admin_and_the_proposer_cancel),
        E::DelayOutOfRange | E::DelayNotRaised => {
            Case(staging::delays_rise_at_once_and_fall_after_themselves)
        }
        E::MarketEnding => Case(reopening::a_thief_reopened_a_delisted_market_in_its_last_hour),
        E::MarketNotReduceOnly => {
            Case(reopening::an_opening_waits_whoever_made_the_market_reduce_only)
        }
        E::LongPauseInvalid => Case(long_pause::a_longer_pause_that_keeps_somebody_in_is_not_staged),
        E::OracleUnits | E::OracleUnchanged => {
            Case(oracle_change::another_source_keeps_the_units_and_is_another)
        }
        E::OraclesUndecided => {
            Case(oracle_change::an_old_price_of_one_beside_a_new_one_of_the_other_voids_nothing)
        }
        E::OraclesApart => Case(oracle_change::prices_apart_void_the_change_for_good),
        E::OracleNotWitnessed => {
            Case(oracle_change::a_look_at_the_beginning_and_one_at_the_end_are_not_a_delay)
        }
        E::DurableNonce => Case(nonce::a_transaction_kept_by_a_nonce_is_refused),
        E::WrongInstructionsSysvar => Case(nonce::a_forged_sysvar_hides_no_nonce),

        E::CrossDisabled => {
            Case(cross_refusals::a_market_without_cross_margin_has_no_legs_and_no_mark)
        }
        E::CrossEnabledAlready => {
            Case(cross::a_market_gets_cross_margin_once_and_its_mark_stands_on_the_board)
        }
        E::CrossTolerance | E::CrossLimits | E::WrongCrossQueue => {
            Case(cross_refusals::limits_and_tolerance_are_within_their_bounds)
        }
        E::BoardFull | E::CrossTooManyLegs => {
            Case(cross_refusals::the_board_has_room_for_eight_markets_and_an_account_for_four_legs)
        }
        E::BoardLayout | E::WrongBoard => {
            Case(cross_refusals::another_board_is_not_the_board_and_another_version_is_not_read)
        }
        E::CrossQueueMissing | E::CrossHasOrders | E::CrossLegThere => Case(
            cross::a_position_with_orders_or_a_flag_stays_isolated_and_a_market_is_one_or_the_other,
        ),
        E::CrossMarkStale | E::CrossMarkFrozen => {
            Case(cross::old_marks_let_nobody_take_out_and_frozen_ones_neither)
        }
        E::CrossRecordStale => Case(cross::a_record_that_would_flatter_needs_its_queue),
        E::CrossBelowInitial => Case(cross::an_account_holds_what_its_legs_need_together),
        E::CrossLegOrder => Case(
            cross_forced::the_largest_leg_is_liquidated_first_as_far_as_it_takes_to_restore_the_account,
        ),
        E::CrossDepositStays => {
            Case(cross::collateral_moves_into_the_pool_and_out_of_it_but_not_in_the_same_slot)
        }
        E::CrossLegsOpen => Case(
            cross_forced::legs_of_a_market_that_has_ended_are_parted_with_before_anybody_is_paid,
        ),
        E::CrossRanked => Case(
            cross_forced::where_legs_stand_the_calls_for_isolated_positions_alone_do_not_deleverage,
        ),
        E::AdlStaleCounterparty => {
            Case(cross_forced::who_is_left_out_of_a_list_is_named_whichever_queue_it_stands_in)
        }

        E::ExchangeInvariant => Case(admin::a_broken_exchange_stays_as_it_is),
        E::MarketInvariant => Case(corrupt::an_unsound_market_is_not_written),
        E::TraderInvariant => Case(corrupt::a_miscounted_trader_is_not_written),
    }
}

#[test]
fn every_error_is_provoked_or_impossible() {
    let mut run: Vec<(fn(), BTreeSet<u32>)> = Vec::new();
    let (mut provoked, mut impossible) = (0, Vec::new());
    for error in BallastError::ALL {
        match evidence(*error) {
            Case(case) => {
                let known = run
                    .iter()
                    .position(|(one, _)| std::ptr::fn_addr_eq(*one, case));
                let place = known.unwrap_or_else(|| {
                    take_provoked();
                    case();
                    run.push((case, take_provoked()));
                    run.len() - 1
                });
                let number = u32::from(*error);
                assert!(
                    run[place].1.contains(&number),
                    "{} is not provoked",
                    error.name()
                );
                provoked += 1;
            }
            Unreachable(reason) => {
                assert!(reason.len() > 20);
                impossible.push(error.name());
            }
        }
    }
    println!("{provoked} errors provoked, impossible: {impossible:?}");
    assert_eq!(provoked + impossible.len(), BallastError::ALL.len());
    assert!(impossible.len() <= 15, "{impossible:?}");
}
