/** Money, prices and sizes as text: exact, from whole numbers, without floats. */

/** Whole numbers come from the engine as digits. */
export type Whole = bigint | string | number;

const MINUS = '−';

/** `count / 10^decimals`, all its digits, thousands apart. */
export function decimal(count: Whole, decimals: number): string {
  const plain = plainDecimal(count, decimals);
  return grouped(plain);
}

/** A decimal number as an input takes it: no thousands, an ASCII minus sign. */
export function plainDecimal(count: Whole, decimals: number): string {
  const value = BigInt(count);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A decimal number in digits, as the engine writes prices and sizes, with its thousands apart. */
export function grouped(plain: string): string {
  const [whole = '', fraction] = plain.replace('-', '').split('.');
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${plain.startsWith('-') ? MINUS : ''}${thousands}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** The atoms of a decimal number that somebody types; nothing is rounded. */
export function atomsOf(text: string, decimals: number): bigint {
  const found = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  const [, whole = '', fraction = ''] = found ?? [];
  if (found === null) {
    throw new RangeError(`"${text}" is no amount; expected a decimal number such as 12.5`);
  }
  if (fraction.length > decimals) {
    throw new RangeError(`"${text}" has more than ${decimals} decimals`);
  }
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** Basis points as per cent. */
export function percent(bps: Whole): string {
  return `${decimal(bps, 2)} %`;
}

/** A price that need not exist, such as that of a liquidation. */
export function priceOrNone(price: string | null): string {
  return price === null ? 'no price' : grouped(price);
}

/** Basis points that need not exist, such as the margin ratio of nothing, as per cent. */
export function percentOrNone(bps: Whole | null): string {
  return bps === null ? 'none' : percent(bps);
}

/** Basis points of a percentage that somebody types. */
export function bpsOf(text: string): number {
  return Number(atomsOf(text.replace(/\s*%$/, ''), 2));
}

/** Seconds in words. */
export function age(seconds: Whole): string {
  const total = Number(seconds);
  if (total < 120) {
    return `${total} s`;
  }
  return total < 7_200 ? `${Math.floor(total / 60)} min` : `${Math.floor(total / 3_600)} h`;
}

/** An address short enough for a table; the whole of it stands in the element's title. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 4)}…${address.slice(-4)}`;
}
