/** Names of markets, which accounts and events have as bytes padded with zeros. */
import type { ReadonlyUint8Array } from '@solana/kit';

/** Bytes of a name. */
const NAME_BYTES = 16;

/** The name in the bytes of an account or an event. */
export function decodeMarketName(name: ReadonlyUint8Array | readonly number[]): string {
  const bytes = Array.from(name).filter((byte) => byte !== 0);
  return String.fromCharCode(...bytes);
}

/** The bytes of a name, as instructions take it: 1 to 16 printable ASCII characters. */
export function encodeMarketName(name: string): Uint8Array {
  if (name.length === 0 || name.length > NAME_BYTES || !/^[\x20-\x7e]+$/.test(name)) {
    throw new RangeError(`a market's name has 1 to ${NAME_BYTES} printable characters: ${name}`);
  }
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(Array.from(name, (letter) => letter.charCodeAt(0)));
  return bytes;
}
