// A program for a server as one file, with nothing of the package beside it.
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { binary, compile, createProject, execute, lastList, tool, versionOf } from "./kit.mjs";
import { againstSandbox, bundle } from "./runtimes.mjs";

/** @typedef {import("./lines.mjs").Line} Line */

/**
 * @param {string} name
 * @param {string} packageName
 * @param {(cwd: string) => Promise<void>} build puts the program at dist/server.mjs
 * @returns {Line}
 */
function serverLine(name, packageName, build) {
  return {
    name: `${name}, server in one file`,
    version: () => versionOf(packageName),
    async run(context) {
      const cwd = await createProject(`${name} server`, context.tarball);
      await build(cwd);
      // Some bundlers write down where a source lay; where the program runs there is none.
      await rm(join(cwd, "node_modules"), { recursive: true });
      await rename(join(cwd, "dist/server.mjs"), join(cwd, "server.mjs"));
      const args = ["server.mjs"];
      await againstSandbox(context, async (service) =>
        lastList(await execute(process.execPath, [...args, service], { cwd })),
      );
    },
  };
}

/** With conditions of one's own, which take the place of "module". */
const esbuild = serverLine("esbuild", "esbuild", (cwd) =>
  bundle(cwd, "main.mjs", "dist/server.mjs", { format: "esm", platform: "node", conditions: ["custom"] }),
);

const rollup = serverLine("Rollup", "rollup", async (cwd) => {
  const { rollup } = await tool("rollup");
  const { nodeResolve } = await tool("@rollup/plugin-node-resolve");
  const plugins = [nodeResolve({ exportConditions: ["node"] })];
  const built = await rollup({ input: join(cwd, "main.mjs"), plugins, external: /^node:/ });
  await built.write({ file: join(cwd, "dist/server.mjs"), format: "es" });
});

const vite = serverLine("Vite", "vite", async (cwd) => {
  const { build } = await tool("vite");
  const rollupOptions = { output: { entryFileNames: "server.mjs" } };
  await build({
    ...{ root: cwd, configFile: false, logLevel: "error" },
    ssr: { noExternal: true },
    build: { ssr: "main.mjs", rollupOptions },
  });
});

const webpack = serverLine("webpack", "webpack", (cwd) => pack("webpack", cwd));
const rspack = serverLine("Rspack", "@rspack/core", (cwd) => pack("@rspack/core", cwd));

/** @param {"webpack" | "@rspack/core"} name @param {string} cwd */
function pack(name, cwd) {
  return compile(name, {
    ...{ context: cwd, entry: "./main.mjs", target: "node20" },
    experiments: { outputModule: true },
    output: { path: join(cwd, "dist"), filename: "server.mjs", module: true, library: { type: "module" } },
  });
}

/** It knows the condition "node" and not "module". */
const bun = serverLine("Bun", "bun", async (cwd) => {
  const args = ["build", "main.mjs", "--target=node", "--outfile=dist/server.mjs"];
  await execute(await binary("bun"), args, { cwd });
});

export const serverLines = [vite, webpack, rspack, esbuild, rollup, bun];
