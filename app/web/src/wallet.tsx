/** Wallets that the browser offers by the wallet standard: connecting to one, and its signature. */
import { address, type Address } from '@solana/kit';
import {
  SolanaSignMessage,
  SolanaSignTransaction,
  type SolanaSignMessageFeature,
  type SolanaSignTransactionFeature,
} from '@solana/wallet-standard-features';
import { getWallets } from '@wallet-standard/app';
import type { IdentifierString, Wallet, WalletAccount } from '@wallet-standard/base';
import {
  StandardConnect,
  StandardDisconnect,
  StandardEvents,
  type StandardConnectFeature,
  type StandardDisconnectFeature,
  type StandardEventsFeature,
} from '@wallet-standard/features';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';

import type { Signer } from './chain/transaction';

/** A wallet that can do what is needed here. */
export type SigningWallet = Wallet & {
  readonly features: StandardConnectFeature &
    SolanaSignTransactionFeature &
    Partial<StandardDisconnectFeature & StandardEventsFeature & SolanaSignMessageFeature>;
};

type Connected = { readonly wallet: SigningWallet; readonly account: WalletAccount };

/** The wallet's signature of a text. */
export type MessageSigner = (message: Uint8Array) => Promise<Uint8Array>;

/** What the page knows of wallets. */
export type Wallets = {
  readonly offered: readonly SigningWallet[];
  readonly connected: Connected | undefined;
  readonly owner: Address | undefined;
  /** Why the wallet did not connect. */
  readonly problem: string | undefined;
  connect(wallet: SigningWallet): Promise<void>;
  disconnect(): Promise<void>;
  /** Signs for the cluster; undefined without a wallet. */
  signer(chain: IdentifierString): Signer | undefined;
  /** Signs texts; undefined without a wallet, or with one that signs none. */
  messageSigner(): MessageSigner | undefined;
};

const KEY = 'ballast.wallet';
const Context = createContext<Wallets | undefined>(undefined);

/** Wallets, connected or not. */
export function useWallets(): Wallets {
  const wallets = useContext(Context);
  if (wallets === undefined) {
    throw new Error('useWallets is used outside WalletProvider');
  }
  return wallets;
}

const registry = getWallets();
let offered: readonly SigningWallet[] = registry.get().filter(signs);

function signs(wallet: Wallet): wallet is SigningWallet {
  const solana = wallet.chains.some((chain) => chain.startsWith('solana:'));
  return solana && StandardConnect in wallet.features && SolanaSignTransaction in wallet.features;
}

function subscribe(listener: () => void): () => void {
  const changed = () => {
    offered = registry.get().filter(signs);
    listener();
  };
  // Whoever came between loading and showing the page announced itself to nobody.
  offered = registry.get().filter(signs);
  const [on, off] = [registry.on('register', changed), registry.on('unregister', changed)];
  return () => [on, off].forEach((end) => end());
}

export function WalletProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const wallets = useSyncExternalStore(subscribe, () => offered);
  const [connected, setConnected] = useState<Connected>();
  const [problem, setProblem] = useState<string>();

  const choose = useCallback((wallet: SigningWallet, accounts: readonly WalletAccount[]) => {
    const account = accounts.find((one) => one.chains.some((chain) => chain.startsWith('solana:')));
    setConnected(account === undefined ? undefined : { wallet, account });
    return account !== undefined;
  }, []);

  const connect = useCallback(
    async (wallet: SigningWallet, silent = false) => {
      setProblem(undefined);
      try {
        const { accounts } = await wallet.features[StandardConnect].connect({ silent });
        if (choose(wallet, accounts)) {
          localStorage.setItem(KEY, wallet.name);
        } else if (!silent) {
          setProblem(`${wallet.name} has no Solana account; make one there and connect again`);
        }
      } catch (thrown) {
        const sentence = thrown instanceof Error ? thrown.message : String(thrown);
        setProblem(silent ? undefined : `${wallet.name} did not connect: ${sentence}`);
      }
    },
    [choose],
  );

  const disconnect = useCallback(async () => {
    localStorage.removeItem(KEY);
    const { wallet } = connected ?? {};
    setConnected(undefined);
    await wallet?.features[StandardDisconnect]?.disconnect();
  }, [connected]);

  // The wallet of the last visit, if it agrees without asking.
  const last = wallets.find((wallet) => wallet.name === localStorage.getItem(KEY));
  useEffect(() => {
    if (last !== undefined) {
      void connect(last, true);
    }
  }, [last, connect]);

  useEffect(
    () =>
      connected?.wallet.features[StandardEvents]?.on('change', ({ accounts }) => {
        if (accounts !== undefined) {
          choose(connected.wallet, accounts);
        }
      }),
    [connected?.wallet, choose],
  );

  const value = useMemo<Wallets>(
    () => ({
      offered: wallets,
      connected,
      owner: connected === undefined ? undefined : address(connected.account.address),
      problem,
      connect: (wallet) => connect(wallet),
      disconnect,
      signer: (chain) => (connected === undefined ? undefined : signerOf(connected, chain)),
      messageSigner: () => (connected === undefined ? undefined : messageSignerOf(connected)),
    }),
    [wallets, connected, problem, connect, disconnect],
  );
  return <Context value={value}>{children}</Context>;
}

function signerOf({ wallet, account }: Connected, chain: IdentifierString): Signer {
  return {
    address: address(account.address),
    async sign(transaction) {
      const method = wallet.features[SolanaSignTransaction].signTransaction;
      const [signed] = await method({ account, transaction, chain });
      if (signed === undefined) {
        throw new Error(`${wallet.name} gave no signature; nothing was sent`);
      }
      return signed.signedTransaction;
    },
  };
}

function messageSignerOf({ wallet, account }: Connected): MessageSigner | undefined {
  const feature = wallet.features[SolanaSignMessage];
  return (
    feature &&
    (async (message) => {
      const [signed] = await feature.signMessage({ account, message });
      if (signed === undefined) {
        throw new Error(`${wallet.name} gave no signature`);
      }
      return signed.signature;
    })
  );
}
