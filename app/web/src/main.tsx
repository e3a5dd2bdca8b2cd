import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { AlertsProvider } from './alerts/watch';
import { App } from './App';
import { Gateway } from './chain/gateway';
import { Nodes } from './chain/nodes';
import { offerBurner } from './localnet';
import { loadSettings, loadSite, restrictRequests } from './settings';
import { SetupProvider } from './venue';
import { WalletProvider } from './wallet';
import './style.css';

const root = document.getElementById('root');
if (root === null) {
  throw new Error('index.html has no element called root');
}
const page = createRoot(root);

async function start(): Promise<void> {
  const site = await loadSite();
  const settings = loadSettings(site);
  restrictRequests(settings.nodes, site.gateway);
  document.documentElement.dataset['palette'] = settings.palette;
  const nodes = new Nodes(settings.nodes);
  const gateway = site.gateway === undefined ? undefined : new Gateway(site.gateway);
  if (site.localnet) {
    await offerBurner(nodes.rpc);
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 1_000 } } });
  page.render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <SetupProvider value={{ nodes, settings, site, gateway }}>
          <WalletProvider>
            <AlertsProvider>
              <App />
            </AlertsProvider>
          </WalletProvider>
        </SetupProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}

start().catch((problem: unknown) => {
  page.render(
    <main>
      <h1>Ballast</h1>
      <p role="alert">{problem instanceof Error ? problem.message : String(problem)}</p>
    </main>,
  );
});
