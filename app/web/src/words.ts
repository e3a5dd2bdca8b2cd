/** Events in words. */
import {
  decimalOf,
  OrderKind,
  OrderSide,
  TriggerKind,
  type BallastEvent,
  type Market,
  type OrderFilled,
  type PartyTraded,
} from 'ballast-client';

import { decimal, grouped, percent, shortAddress } from './decimal';

/** Whose view it is, and in which units. */
export type View = {
  readonly decimals: number;
  /** The trader accounts of whoever reads. */
  readonly own: ReadonlySet<string>;
  /** Name and units of a market by its address. */
  readonly market: (
    address: string,
  ) => { name: string; units: Pick<Market['oracle'], 'tickNano' | 'lotNano'> } | undefined;
};

const KINDS: { readonly [kind in OrderKind]: string } = {
  [OrderKind.Limit]: 'limit',
  [OrderKind.ImmediateOrCancel]: 'immediate-or-cancel',
  [OrderKind.FillOrKill]: 'fill-or-kill',
  [OrderKind.PostOnly]: 'post-only',
  [OrderKind.Market]: 'market',
};

/** The event as one sentence. */
export function sentenceOf({ name, data }: BallastEvent, view: View): string {
  const atoms = (count: bigint) => decimal(count, view.decimals);
  const market = 'market' in data ? view.market(String(data.market)) : undefined;
  const units = market?.units;
  const size = (lots: bigint | number) =>
    units === undefined ? `${lots} lots` : grouped(decimalOf(abs(BigInt(lots)), units.lotNano));
  const price = (ticks: bigint) =>
    units === undefined ? `${ticks} ticks` : grouped(decimalOf(ticks, units.tickNano));
  const at = market === undefined ? '' : ` in ${market.name}`;
  const who = (trader: string) => (view.own.has(trader) ? 'you' : shortAddress(trader));
  switch (name) {
    case 'TraderCreated':
      return `Trader account ${data.subId} opened.`;
    case 'TraderClosed':
      return 'Trader account closed; its rent is back.';
    case 'Deposited':
      return `${atoms(data.amount)} deposited; ${atoms(data.freeAfter)} are free.`;
    case 'Withdrawn':
      return `${atoms(data.amount)} withdrawn; ${atoms(data.freeAfter)} are free.`;
    case 'MarginAdded':
      return `${atoms(data.amount)} of margin added${at}; it is ${atoms(data.marginAfter)}.`;
    case 'MarginRemoved':
      return `${atoms(data.amount)} of margin removed${at}; it is ${atoms(data.marginAfter)}.`;
    case 'OrderPlaced': {
      const side = data.side === OrderSide.Bid ? 'buy' : 'sell';
      const asked = data.priceTicks === 0n ? 'at the market' : `at ${price(data.priceTicks)}`;
      const mine = view.own.has(data.trader);
      const met = mine ? undefined : fillsOf(data.fills, view);
      if (met !== undefined) {
        return `Your order${at} was filled: ${met.map((fill) => `${size(fill.lots)} at ${price(fill.priceTicks)}`).join(', ')}.`;
      }
      const parts = [`${KINDS[data.kind]} order to ${side} ${size(data.lots)} ${asked}${at}`];
      parts.push(
        `${size(data.filledLots)} filled${data.taker.__option === 'Some' ? ` (fee ${atoms(data.taker.value.fee)})` : ''}`,
      );
      parts.push(`${size(data.restingLots)} wait`, `${size(data.droppedLots)} dropped`);
      return `${capital(parts.join('; '))}.`;
    }
    case 'OrdersCancelled':
      return `${data.orders.length} ${data.orders.length === 1 ? 'order' : 'orders'} cancelled${at}; ${atoms(data.freeAfter)} are free.`;
    case 'BlockTraded': {
      const party = view.own.has(data.taker.trader) ? data.taker : data.maker;
      return `Traded ${size(data.lots)} at ${price(data.priceTicks)} with ${who(other(data, party).trader)}${at}.`;
    }
    case 'TriggerPlaced':
      return `${trigger(data.kind)} set${at}: ${size(data.lots)} close when the mark reaches ${price(data.priceTicks)}.`;
    case 'TriggerCancelled':
      return `${trigger(data.kind)} at ${price(data.priceTicks)} cleared${at}.`;
    case 'TriggerExecuted':
      return `${trigger(data.kind)} executed${at} at a mark of ${price(data.markTicks)}: ${size(data.filledLots)} closed.`;
    case 'ProtectionCreated':
      return `Account for protective steps opened${at}.`;
    case 'ProtectionClosed':
      return `Account for protective steps closed${at}; its rent is back.`;
    case 'ProtectionSet': {
      const steps = data.steps.map(
        (step) => `below ${percent(step.ratioBps)} keep ${percent(step.keepBps)}`,
      );
      return steps.length === 0
        ? `Protective steps cleared${at}.`
        : `Protective steps set${at}: ${steps.join(', ')}.`;
    }
    case 'ProtectionExecuted':
      return `A protective step was executed${at}: ${size(data.filledLots)} closed at a mark of ${price(data.markTicks)}.`;
    case 'PositionFlagged':
      return data.bankruptSlot === 0n
        ? `${capital(who(data.trader))}: below maintenance${at} at a mark of ${price(data.markTicks)}.`
        : `${capital(who(data.trader))}: bankrupt${at} at a mark of ${price(data.markTicks)}, ${atoms(data.deficitAtoms)} short.`;
    case 'PositionLiquidated':
      return `${capital(who(data.trader))}: ${size(data.lots)} liquidated${at} at a mark of ${price(data.markTicks)}; ${size(data.lotsAfter)} are left.`;
    case 'AutoDeleveraged': {
      const cut = data.cuts.find(({ trader }) => view.own.has(trader));
      return cut === undefined
        ? `${size(data.lotsClosed)} of ${who(data.bankrupt)} deleveraged${at} against ${data.cuts.length} winners.`
        : `You were deleveraged${at}: ${size(cut.lotsClosed)} of your ${size(cut.lotsBefore)} closed, ${atoms(cut.payoutAtoms)} paid out, ${atoms(cut.gaveUpAtoms)} of profit given up.`;
    }
    case 'ProfitHeld':
      return `Profit is held${at} until ${atoms(data.shortfallAtoms)} that the market is short of are found.`;
    case 'ProfitReleased':
      return `Held profit released${at}.`;
    default:
      return `${capital(name.replace(/([a-z])([A-Z])/g, (_, one: string, two: string) => `${one} ${two.toLowerCase()}`))}${at}.`;
  }
}

/** The fills of somebody else's order against one's own; undefined where there are none. */
function fillsOf(fills: readonly OrderFilled[], { own }: View): OrderFilled[] | undefined {
  const found = fills.filter(({ maker }) => own.has(maker));
  return found.length === 0 ? undefined : found;
}

function other(data: { taker: PartyTraded; maker: PartyTraded }, party: PartyTraded): PartyTraded {
  return party === data.taker ? data.maker : data.taker;
}

function trigger(kind: TriggerKind): string {
  return kind === TriggerKind.StopLoss ? 'Stop-loss' : 'Take-profit';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
