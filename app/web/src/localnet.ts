/** A market on the visitor's own machine: a wallet that the page itself offers, given money by its server. */
import {
  createSignerFromKeyPair,
  generateKeyPair,
  getAddressEncoder,
  getTransactionDecoder,
  getTransactionEncoder,
  partiallySignTransaction,
  signBytes,
  type Address,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';
import { SolanaSignMessage, SolanaSignTransaction } from '@solana/wallet-standard-features';
import { getWallets } from '@wallet-standard/app';
import { StandardConnect, StandardEvents } from '@wallet-standard/features';

import type { SigningWallet } from './wallet';

const DATABASE = 'ballast-localnet';
const STORE = 'keys';
const CHAIN = 'solana:localnet';
/** A square. */
const ICON =
  'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=' as const;

/** What the price of such a market does when it is asked to. */
export type Jump = 'crash' | 'rally';

/** Lets the price jump. */
export async function jump(move: Jump): Promise<void> {
  await tell('jump', { move });
}

/**
 * Offers a wallet among those of the browser. Its key cannot be read by any script, stays in this browser and is
 * of no use on another cluster; where the chain is new it is given money when it connects.
 */
export async function offerBurner(rpc: Rpc<SolanaRpcApi>): Promise<void> {
  const keys = await burnerKeys();
  const { address } = await createSignerFromKeyPair(keys);
  const account = {
    address,
    publicKey: new Uint8Array(getAddressEncoder().encode(address)),
    chains: [CHAIN],
    features: [SolanaSignTransaction, SolanaSignMessage],
  } as const;
  const sign = async (transaction: Uint8Array) => {
    const signed = await partiallySignTransaction(
      [keys],
      getTransactionDecoder().decode(transaction),
    );
    return { signedTransaction: new Uint8Array(getTransactionEncoder().encode(signed)) };
  };
  const wallet: SigningWallet = {
    version: '1.0.0',
    name: 'burner wallet',
    icon: ICON,
    chains: [CHAIN],
    accounts: [account],
    features: {
      [StandardConnect]: {
        version: '1.0.0',
        connect: async () => {
          await fund(rpc, address);
          return { accounts: [account] };
        },
      },
      [StandardEvents]: { version: '1.0.0', on: () => () => undefined },
      [SolanaSignTransaction]: {
        version: '1.0.0',
        supportedTransactionVersions: ['legacy', 0],
        signTransaction: (...inputs) =>
          Promise.all(inputs.map(({ transaction }) => sign(transaction))),
      },
      [SolanaSignMessage]: {
        version: '1.0.0',
        signMessage: (...inputs) =>
          Promise.all(
            inputs.map(async ({ message }) => ({
              signedMessage: message,
              signature: await signBytes(keys.privateKey, message),
            })),
          ),
      },
    },
  };
  getWallets().register(wallet);
}

async function fund(rpc: Rpc<SolanaRpcApi>, address: Address): Promise<void> {
  const { value } = await rpc.getBalance(address, { commitment: 'confirmed' }).send();
  if (value === 0n) {
    await tell('fund', { address });
  }
}

async function tell(page: string, body: object): Promise<void> {
  const answer = await fetch(`./localnet/${page}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(`the local market refuses: ${await answer.text()}`);
  }
}

/** The key of this browser, made on the first visit. */
async function burnerKeys(): Promise<CryptoKeyPair> {
  const database = await answered(
    Object.assign(indexedDB.open(DATABASE, 1), {
      onupgradeneeded(this: IDBOpenDBRequest) {
        this.result.createObjectStore(STORE);
      },
    }),
  );
  const kept: unknown = await answered(database.transaction(STORE).objectStore(STORE).get(0));
  if (kept !== undefined) {
    return kept as CryptoKeyPair;
  }
  const keys = await generateKeyPair();
  await answered(database.transaction(STORE, 'readwrite').objectStore(STORE).put(keys, 0));
  return keys;
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(new Error(`this browser keeps no key: ${request.error?.message ?? ''}`));
  });
}
