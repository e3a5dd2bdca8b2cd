/** What the Rust client makes of the same bytes; its tests write and compare `fixtures`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A value as the fixtures state it. */
export type Json = boolean | number | string | null | Json[] | { [name: string]: Json };

export type Fields = { [name: string]: Json };

/** Reads a fixture. */
export function fixture<T>(name: string): T {
  // Compiled tests lie in build/test.
  const file = join(__dirname, '../../test/fixtures', name);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function hex(data: ArrayLike<number>): string {
  return Buffer.from(Array.from(data)).toString('hex');
}

/** A decoded value as the fixtures state it; names as TypeScript writes them. */
export function plain(value: unknown): Json {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (value instanceof Uint8Array) {
    return hex(value);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (value !== null && typeof value === 'object') {
    if ('__option' in value) {
      return 'value' in value ? plain(value.value) : null;
    }
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  }
  return value as Json;
}

/** A fixture's value with names as TypeScript writes them. */
export function camel(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(camel);
  }
  if (value !== null && typeof value === 'object') {
    const rename = (name: string) =>
      name.replace(/^_/, '').replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [rename(name), camel(field)]),
    );
  }
  return value;
}

/** Those fields of a decoded value that the fixture states; it omits what Rust keeps private. */
export function stated(value: unknown, expected: Json): Json {
  return select(plain(value), expected);
}

function select(value: Json, expected: Json): Json {
  if (Array.isArray(value) && Array.isArray(expected)) {
    return value.map((item, at) => select(item, expected[at] ?? null));
  }
  if (isFields(value) && isFields(expected)) {
    const names = Object.keys(value).filter((name) => name in expected);
    return Object.fromEntries(
      names.map((name) => [name, select(value[name] ?? null, expected[name] ?? null)]),
    );
  }
  return value;
}

function isFields(value: Json): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
