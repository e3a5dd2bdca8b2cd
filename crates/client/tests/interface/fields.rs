//! The fields of every type that lies in an account as it is, in order.

/// Calls `$with!` with the types: `whole` those whose fields are all listed, `part` those of the
/// engine of which only the public ones are.
macro_rules! account_types {
    ($with:ident) => {
        $with! {
            whole: {
            Exchange {
                version, bump, vault_bump, mint_decimals, pause_flags, admin, _unused_admin,
                risk_authority, _unused_risk_authority, guardian, _unused_guardian,
                collateral_mint, collateral_vault, trader_count, _unused,
                market_count, _padding, risk_delay_slots, admin_delay_slots, treasury,
                reserved_admin, guardian_pause, admin_pause, reserved,
                long_pause, reserved_tail
            }
            Market {
                version, bump, vault_bump, cross, index, cross_legs, name, volatility,
                insurance_vault, queue_long, queue_short, oracle, risk, funding, last_price,
                insurance, open_interest_lots, fees_atoms, bankruptcy_counter, adl_rounds,
                liquidations, book, held, insurance_older, mode, insurance_limited, _padding3, final_ticks, price_clock, wind_down,
                rent_payer, insurance_vault_total, fees_paid_at, claims_node, written_off_atoms,
                claims_atoms, staked_atoms
            }
            Volatility { fast, slow, counted_ticks, multiplier_ppm, counted_at, since }
            PriceClock { earlier_ticks, recorded_slot, diverged_for, _pad, reserved }
            OracleConfig {
                kind, _padding, feed_id, push_account, tick_nano, atoms_per_lot_tick, lot_nano
            }
            RiskConfig {
                tiers, ladder, tier_count, ladder_count, ladder_interval_slots, min_position_lots,
                max_position_lots, max_open_interest_lots, liquidation_discount_bps,
                liquidation_discount_max_bps, discount_ramp_slots, liquidation_fee_bps,
                liquidation_buffer_bps, price_band_bps, taker_fee_bps, maker_fee_bps,
                insurance_fee_share_bps, funding_rate_ppm_per_hour, insurance_draw_cap_bps,
                insurance_window_slots, oracle_max_age_seconds, oracle_max_conf_bps,
                oracle_max_ema_divergence_bps, adl, impact_notional_atoms, keeper_fee_atoms,
                max_funding_rate_ppm, book_reward_bps, price_age_seconds, divergence_grace_seconds,
                fee_reserve_atoms, min_order_atoms, oracle_dead_seconds, insurance_resume_bps,
                stake_income_bps, stake_floor_atoms,
                discount_full_ratio_bps, margin_multiplier_max_bps, open_interest_lower_bps,
                open_interest_upper_bps
            }
            RiskTier { notional_limit_atoms, initial_margin_bps, maintenance_margin_bps }
            LadderStep { above_ratio_bps, close_bps }
            AdlConfig {
                rank_tolerance_bps, max_close_bps, min_profit_bps, _pad, grace_slots, reward_atoms
            }
            FundingLedger {
                index, carry, last_timestamp, rate_sum, rate_ppm, impact_bid, impact_ask, paused
            }
            Pause { flags, slots, starts }
            LongPause { flags, _padding, until_slot }
            Witnessed { covered_slots, last_slot, apart, reserved }
            LastPrice { ticks, conf_ticks, ema_ticks, publish_time }
            InsuranceLedger { balance, bucket, drawn }
            HeldLedger { atoms, shares, epoch, _pad }
            MarketEnd {
                ends_at, price_seconds, covered_seconds, cause, settled_lots, held_paid,
                held_shares_paid
            }
            Trader {
                version, bump, sub_id, position_count, owner, delegate, free, positions,
                delegate_flags, cross_pool, pooled_atoms, pooled_slot, cross_legs, _padding, reserved
            }
            PositionSlot {
                market, lots, entry_quote, margin, funding_index, queue_node, held_epoch, flagged_slot,
                bankrupt_slot, flagged_deficit, last_step_slot, bankruptcy_id, pass_epoch,
                bankrupt_lots, order_head, order_count, reduce_only_count, order_margin, step_left, cross,
                stop_loss, take_profit, seen_slot, paid_in, held_shares, held_slot
            }
            Trigger { price_ticks, worst_ticks, lots, placed_lots }
            Staged {
                version, bump, kind, _padding, id, target, proposer, payer, base, staged_slot,
                eta_slot, expires_slot, payload, witnessed
            }
            Pool {
                version, bump, stopped, _padding, epoch, market, trader, params, shares, requested,
                last_unwind_slot, last_take_slot, peak_value, peak_slot, taken_bucket, taken, takes,
                unwinds, discount_atoms, premium_atoms, stopped_slot, auction_slot, reserved
            }
            PoolConfig {
                mode, cap_bps, margin_bps, reserve_first_bps, reserve_last_bps, take_cap_bps,
                drawdown_bps, premium_bps, ask_bps, slip_bps, unwind_bps, exit_bps, keeper_bps, _pad,
                window_slots, auction_slots, unwind_interval_slots, withdraw_delay_slots,
                withdraw_window_slots
            }
            Stakes {
                version, bump, _padding, epoch, market, shares, requested, reserved
            }
            Share {
                version, bump, _padding, epoch, fund, owner, shares, requested, requested_value,
                requested_slot, reserved
            }
            Protection {
                version, bump, _padding, slip_bps, market, trader, owner, sequence, base_lots, steps,
                reserved
            }
            ProtectiveStep { ratio_bps, keep_bps }
            AdlSession {
                version, ended, _pad, side, payer, market, bankrupt, expires_slot, bankruptcy_id,
                mark_ticks, lots, entry_quote, margin, selection, reserved
            }
            Member { entry, bankruptcy, sequence, lots, node, cap_left, _pad }
            TreeHeader { root, free_head, high_water, len }
            Links { left, right }
            QueueHeader {
                market, side, version, tree, next_sequence, adl_epoch, _pad, watch,
                pass_opened_slot, reserved
            }
            BookHeader {
                market, version, _pad, next_sequence, bids, asks, migrated_height, migrated_nodes,
                reserved
            }
            }
            part: {
            Selection { wanted, found, visited, len, _pad }
            Watch { session, sequence_limit }
            QueueEntry {
                side, lots, entry_q32, bankruptcy_q32, best_entry_q32, best_bankruptcy_q32,
                sequence, cut_epoch, cut_lots, capped_epoch, least_capped_epoch, trader
            }
            Order {
                owner_next, owner_previous, sequence, client_id, margin, expires_at, lots, price,
                trader
            }
            }
        }
    };
}
