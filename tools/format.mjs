// `npm run format`: rustfmt over the Rust files, prettier over the others.
import { join } from "node:path";
import { cargo, setup } from "./setup.mjs";
import { main, root, run } from "./shell.mjs";

await main(import.meta, async () => {
  await setup({ for: "format" });
  await cargo(["fmt"]);
  await run(process.execPath, [
    join(root, "node_modules/prettier/bin/prettier.cjs"),
    "--write",
    "--log-level=warn",
    ".",
  ]);
});
