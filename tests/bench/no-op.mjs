// Peers that do nothing. Every section of the bench must refuse them.

/** @import { Peer } from "./peers.mjs" */

/** Ends every wait at once, and asks nobody. @type {Peer} */
export const noOp = {
  name: "no-op",
  client: async () => ({ wait: async () => ({}), read: async () => ({}) }),
  asked: () => [],
  body: () => ({}),
};

/** Never ends a wait, and asks nobody. @type {Peer} */
export const never = { ...noOp, name: "never", client: async () => ({ wait: () => new Promise(() => {}) }) };
