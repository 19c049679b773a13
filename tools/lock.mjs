// One process at a time: two commands started together must not install or build over each other.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./shell.mjs";

/**
 * Runs `work` while holding the lock `name`, waiting for another process that holds it.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(name, work) {
  const file = join(root, `.tools/${name}.lock`);
  await mkdir(join(root, ".tools"), { recursive: true });
  for (let waited = false; !(await take(file)); waited = true) {
    if (!waited) console.error(`→ waiting for the process that holds .tools/${name}.lock`);
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** @param {string} file */
async function take(file) {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  const owner = Number(await readFile(file, "utf8").catch(() => ""));
  // An empty file belongs to a process that is about to write its id.
  if (owner && !isRunning(owner)) await rm(file, { force: true });
  return false;
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
