/** What the user has chosen. Kept by the browser, sent to nobody. */

/** A Solana node: where it is asked, and where it announces changes. */
export type SolanaNode = { readonly rpc: string; readonly ws: string };

/** How lights are coloured. Every light has its number and bars besides. */
export const PALETTES = ['standard', 'colour-blind', 'monochrome'] as const;
export type Palette = (typeof PALETTES)[number];

export type Settings = {
  /** In the order in which they are tried. */
  readonly nodes: readonly SolanaNode[];
  /** The most that a transaction offers for priority, lamports, as digits. */
  readonly feeCapLamports: string;
  readonly palette: Palette;
};

const KEY = 'ballast.settings';
/** Names of the user's own machine. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const DEFAULTS = { feeCapLamports: '100000', palette: 'standard' } as const;

/** A node from what the user types; without a second address, the one that its first implies. */
export function solanaNode(rpc: string, ws = ''): SolanaNode {
  const asked = nodeUrl(rpc, ['https:', 'http:']);
  const announces = nodeUrl(ws.trim() === '' ? impliedSocket(asked) : ws, ['wss:', 'ws:']);
  return { rpc: asked.href, ws: announces.href };
}

/** Beyond this machine only encrypted connections: whoever is on the way could change an answer. */
function nodeUrl(text: string, [safe = '', local = '']: readonly string[]): URL {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw new RangeError(
      `"${text}" is no address of a node; expected one such as ${safe}//node.example`,
    );
  }
  const loopback = LOOPBACK.includes(url.hostname);
  if (url.protocol !== safe && !(url.protocol === local && loopback)) {
    throw new RangeError(`"${text}" must begin with ${safe}// (${local}// only for this machine)`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new RangeError(`"${text}" has a name or a password in it; browsers do not send those`);
  }
  return url;
}

/** A node on this machine announces at the next port, as validators do; a hosted one at the same address. */
function impliedSocket(rpc: URL): string {
  const ws = new URL(rpc);
  ws.protocol = rpc.protocol === 'https:' ? 'wss:' : 'ws:';
  if (rpc.protocol === 'http:') {
    ws.port = String(Number(rpc.port === '' ? '80' : rpc.port) + 1);
  }
  return ws.href;
}

/** The most for priority, from what the user types. */
export function feeCap(text: string): string {
  if (!/^\d{1,10}$/.test(text.trim())) {
    throw new RangeError(`"${text}" is no number of lamports; expected 0 to 9,999,999,999`);
  }
  return BigInt(text.trim()).toString();
}

/** What whoever serves the page says in `config.json`. */
export type Site = {
  /** What a new visitor asks. */
  readonly suggested: Partial<Settings>;
  /** Whether the page belongs to a market on the visitor's own machine, whose server gives money away. */
  readonly localnet: boolean;
  /** Where a gateway is, with a slash at the end; undefined without one. */
  readonly gateway: string | undefined;
};

/** Reads `config.json`. */
export async function loadSite(): Promise<Site> {
  const answer = await fetch('./config.json');
  if (!answer.ok) {
    throw new Error(
      `config.json of this site cannot be read (${answer.status}); it names the nodes to ask`,
    );
  }
  const config = (await answer.json()) as Partial<Settings> & {
    readonly localnet?: unknown;
    readonly gateway?: unknown;
  };
  const here = LOOPBACK.includes(window.location.hostname);
  const { gateway } = config;
  return {
    suggested: config,
    localnet: config.localnet === true && here,
    gateway: typeof gateway === 'string' ? gatewayUrl(gateway) : undefined,
  };
}

/** A gateway's address, of which `./` is that of the page itself. */
function gatewayUrl(text: string): string {
  const url = new URL(text, window.location.href);
  const own = url.origin === window.location.origin;
  return own ? `${url.origin}/` : nodeUrl(url.origin, ['https:', 'http:']).href;
}

/** What the user has chosen, else what whoever serves the page suggests. */
export function loadSettings({ suggested }: Site): Settings {
  const kept = localStorage.getItem(KEY);
  if (kept !== null) {
    try {
      return checked(JSON.parse(kept) as Partial<Settings>);
    } catch {
      // What cannot be used is as good as nothing.
      localStorage.removeItem(KEY);
    }
  }
  return checked(suggested);
}

export function saveSettings(settings: Settings): void {
  localStorage.setItem(KEY, JSON.stringify(settings));
}

function checked({ nodes = [], feeCapLamports, palette }: Partial<Settings>): Settings {
  if (nodes.length === 0) {
    throw new RangeError('there is no node to ask');
  }
  return {
    nodes: nodes.map((node) => solanaNode(node.rpc, node.ws)),
    feeCapLamports: feeCap(feeCapLamports ?? DEFAULTS.feeCapLamports),
    palette: PALETTES.find((known) => known === palette) ?? DEFAULTS.palette,
  };
}

/**
 * From here on the page can reach the chosen nodes, the gateway and its own files, nothing else: a second policy,
 * which the browser holds together with that of the page. Other nodes take a reload.
 */
export function restrictRequests(nodes: readonly SolanaNode[], gateway: string | undefined): void {
  const origins = nodes.flatMap(({ rpc, ws }) => [new URL(rpc).origin, new URL(ws).origin]);
  if (gateway !== undefined) {
    origins.push(new URL(gateway).origin);
  }
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = `connect-src 'self' ${[...new Set(origins)].join(' ')}`;
  document.head.append(policy);
}
