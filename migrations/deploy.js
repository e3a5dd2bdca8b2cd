// Deploys and migrates: what `anchor migrate` runs, `cargo xtask deploy` on the cluster and with the wallet of Anchor.toml.
const { spawnSync } = require("node:child_process");

module.exports = function deploy(provider) {
  const wallet = process.env.ANCHOR_WALLET;
  const options = ["--url", provider.connection.rpcEndpoint, "--keypair", wallet];
  const run = spawnSync("cargo", ["xtask", "deploy", ...options], {
    cwd: `${__dirname}/..`,
    stdio: "inherit",
  });
  process.exitCode = run.status ?? 1;
};
