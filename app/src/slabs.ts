/**
 * The nodes of book and queue accounts. The number of a node is how traders' positions and orders
 * refer to it.
 */
import type { FixedSizeDecoder, ReadonlyUint8Array } from '@solana/kit';

import {
  getOrderDecoder,
  getQueueEntryDecoder,
  type Book,
  type Order,
  type Queue,
  type QueueEntry,
} from './generated';

/** No node: the end of a chain of orders, or a position that is in no queue. */
export const NO_NODE = 0xffff_ffff;

/** Bit of `Order.flags`: the order may only make a position smaller. */
export const ORDER_REDUCE_ONLY = 1;

/** An order in the book. */
export type BookOrder = Order & { node: number };

/** A position in a queue. */
export type QueuedPosition = QueueEntry & { node: number };

/** The orders of a book, the best first: by price, then by age. */
export function bookOrders(book: Pick<Book, 'nodes'>): { asks: BookOrder[]; bids: BookOrder[] } {
  const nodes = all(book.nodes, getOrderDecoder());
  // Bids lie in the first half; the rest of an odd number of nodes is of no use.
  const half = Math.floor(nodes.length / 2);
  const bids = used(nodes.slice(0, half));
  const asks = used(nodes.slice(half, 2 * half));
  return {
    asks: asks.sort((one, other) => one.price - other.price || age(one, other)),
    bids: bids.sort((one, other) => other.price - one.price || age(one, other)),
  };
}

/** The positions of a queue, the oldest first. Their order says nothing about their rank. */
export function queuedPositions(queue: Pick<Queue, 'nodes'>): QueuedPosition[] {
  return used(all(queue.nodes, getQueueEntryDecoder())).sort(age);
}

function all<T extends object>(
  bytes: ReadonlyUint8Array,
  decoder: FixedSizeDecoder<T>,
): (T & { node: number })[] {
  const count = Math.floor(bytes.length / decoder.fixedSize);
  return Array.from({ length: count }, (_, node) => ({
    ...decoder.decode(bytes, node * decoder.fixedSize),
    node,
  }));
}

function used<T extends { height: number }>(nodes: T[]): T[] {
  return nodes.filter((node) => node.height > 0);
}

function age(one: { sequence: bigint }, other: { sequence: bigint }): number {
  return one.sequence < other.sequence ? -1 : 1;
}
