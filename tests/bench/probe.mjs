// Measurements that need a process of their own: `probe(file, …args)` starts one and returns the JSON it prints.
import { join } from "node:path";
import { Stop, capture } from "../../tools/shell.mjs";
import { folder } from "./setup.mjs";

/** @param {string} file in this folder @param {...string} args @returns {Promise<any>} */
export async function probe(file, ...args) {
  const { code, stdout, output } = await capture(process.execPath, [
    ...["--expose-gc", "--no-warnings", join(folder, file)],
    ...args,
  ]);
  if (code !== 0) throw new Stop(`${file} ${args.join(" ")} failed:\n${output}`);
  return JSON.parse(stdout);
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
