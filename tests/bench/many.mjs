// Many tasks at once: videos submitted over a minute, six connections, a round trip of 200 ms, coarse progress.
import { figures } from "./loops.mjs";
import { ours } from "./ours.mjs";
import { fal } from "./peers.mjs";
import { atMost, figure, told } from "./table.mjs";
import { courses } from "./tasks.mjs";
import { together } from "./virtual.mjs";

/** @import { Section } from "./table.mjs" */

const WORLD = { regime: /** @type {const} */ ("coarse"), roundTripMs: 200, connections: 6 };
const OVER_MS = 60_000;
/** How many, and the most of the other's requests and latency. @type {[number, number, number][]} */
const TARGETS = [
  [100, 1 / 40, 1.1],
  [1_000, 1 / 15, 1 / 10],
  [10_000, 1 / 6, 1 / 50],
];

/** @returns {Promise<Section>} */
export async function many(targets = TARGETS, peer = fal) {
  const lines = [];
  for (const [count, requests, latency] of targets) {
    const tasks = courses("video", count);
    const own = figures(await together(ours, "video", tasks, WORLD, OVER_MS));
    const other = figures(await together(peer, "video", tasks, WORLD, OVER_MS));
    const note = (/** @type {number} */ a, /** @type {number} */ b) => `${figure(a)}, ${figure(b)}`;
    lines.push(
      atMost(`${count} tasks: requests, against ${peer.name}`, own.requests / other.requests, requests, {
        unit: "×",
        note: `${note(own.requests, other.requests)} a task`,
      }),
      atMost(`${count} tasks: latency, against ${peer.name}`, own.meanS / other.meanS, latency, {
        unit: "×",
        note: `${note(own.meanS, other.meanS)} s`,
      }),
      told(`${count} tasks: p95 of the latency`, `${note(own.p95S, other.p95S)} s`),
    );
  }
  return { title: "Many videos at once: six connections, a round trip of 200 ms, coarse progress", lines };
}
