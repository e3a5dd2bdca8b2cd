/**
 * Events. The program announces one by calling itself with the event as data; look for it among
 * the inner instructions of a transaction.
 */
import { getBase58Encoder, type ReadonlyUint8Array } from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS } from './generated';
import { BALLAST_EVENTS, EVENT_TAG, type BallastEvent } from './generated/events';

export type { BallastEvent } from './generated/events';

/** The event in the data of an inner instruction; undefined when there is none. */
export function decodeBallastEvent(data: ReadonlyUint8Array): BallastEvent | undefined {
  if (!startsWith(data, EVENT_TAG, 0)) {
    return undefined;
  }
  const found = BALLAST_EVENTS.find((event) =>
    startsWith(data, event.discriminator, EVENT_TAG.length),
  );
  if (found === undefined) {
    return undefined;
  }
  const fields = found.decoder.decode(data, EVENT_TAG.length + found.discriminator.length);
  return { name: found.name, data: fields } as BallastEvent;
}

/** What `getTransaction` answers with `encoding: 'json'`, as far as it is needed here. */
export type TransactionWithInnerInstructions = {
  readonly meta: {
    readonly innerInstructions?:
      | readonly {
          readonly instructions: readonly {
            readonly data: string;
            readonly programIdIndex: number;
          }[];
        }[]
      | null;
    readonly loadedAddresses?: {
      readonly readonly: readonly string[];
      readonly writable: readonly string[];
    };
  } | null;
  readonly transaction: { readonly message: { readonly accountKeys: readonly string[] } };
};

/** An event and the data by which the program announced it, which `Engine.explain` takes. */
export type Announcement = { readonly event: BallastEvent; readonly data: ReadonlyUint8Array };

/** What a transaction announces, in order. */
export function ballastAnnouncements(
  transaction: TransactionWithInnerInstructions,
): Announcement[] {
  const { meta } = transaction;
  const loaded = meta?.loadedAddresses;
  const keys = [
    ...transaction.transaction.message.accountKeys,
    ...(loaded?.writable ?? []),
    ...(loaded?.readonly ?? []),
  ];
  return (meta?.innerInstructions ?? [])
    .flatMap((outer) => outer.instructions)
    .filter((inner) => keys[inner.programIdIndex] === BALLAST_PROGRAM_ADDRESS)
    .map((inner) => getBase58Encoder().encode(inner.data))
    .flatMap((data) => {
      const event = decodeBallastEvent(data);
      return event === undefined ? [] : [{ event, data }];
    });
}

/** The events of a transaction, in order. */
export function ballastEvents(transaction: TransactionWithInnerInstructions): BallastEvent[] {
  return ballastAnnouncements(transaction).map(({ event }) => event);
}

function startsWith(
  data: ReadonlyUint8Array,
  expected: ReadonlyUint8Array,
  offset: number,
): boolean {
  return expected.every((byte, at) => data[offset + at] === byte);
}
