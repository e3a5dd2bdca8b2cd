/** A wallet of the wallet standard, put into the page before its own scripts: it signs with a real key. */

/** What the wallet is told. `seed` are the 32 secret bytes of the key. */
export type WalletSettings = { readonly address: string; readonly seed: number[] };

/** Runs in the page. */
export function injectWallet({ address, seed }: WalletSettings): void {
  const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
  const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const chains = ['solana:mainnet', 'solana:devnet', 'solana:localnet'] as const;
  const publicKey = () => {
    let number = [...address].reduce(
      (sum, letter) => sum * 58n + BigInt(ALPHABET.indexOf(letter)),
      0n,
    );
    const bytes = new Uint8Array(32);
    for (let at = 31; at >= 0; at -= 1, number >>= 8n) {
      bytes[at] = Number(number & 0xffn);
    }
    return bytes;
  };
  const account = { address, publicKey: publicKey(), chains, features: ['solana:signTransaction', 'solana:signMessage'] };
  const state = window as unknown as { walletRefuses?: boolean };
  const signed = async (message: Uint8Array<ArrayBuffer>) => {
    if (state.walletRefuses === true) {
      throw new Error('User rejected the request.');
    }
    const key = await crypto.subtle.importKey(
      'pkcs8',
      new Uint8Array([...PKCS8, ...seed]),
      'Ed25519',
      false,
      ['sign'],
    );
    return new Uint8Array(await crypto.subtle.sign('Ed25519', key, message));
  };
  const sign = async ({ transaction }: { transaction: Uint8Array }) => {
    const signature = await signed(transaction.slice(1 + 64 * (transaction[0] ?? 0)));
    const signedTransaction = transaction.slice();
    signedTransaction.set(signature, 1);
    return { signedTransaction };
  };
  const wallet = {
    version: '1.0.0',
    name: 'Test wallet',
    icon: 'data:image/svg+xml;base64,PHN2Zy8+',
    chains,
    accounts: [account],
    features: {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
      'standard:events': { version: '1.0.0', on: () => () => undefined },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: ['legacy', 0],
        signTransaction: (...inputs: { transaction: Uint8Array }[]) =>
          Promise.all(inputs.map(sign)),
      },
      'solana:signMessage': {
        version: '1.0.0',
        signMessage: (...inputs: { message: Uint8Array }[]) =>
          Promise.all(
            inputs.map(async ({ message }) => ({
              signedMessage: message,
              signature: await signed(message.slice()),
            })),
          ),
      },
    },
  };
  const register = ({ register }: { register: (wallet: unknown) => void }) => register(wallet);
  window.addEventListener('wallet-standard:app-ready', (event) =>
    register((event as CustomEvent).detail),
  );
  window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }));
}
