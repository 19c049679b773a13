/** What a finished task can be continued with: Midjourney's buttons in words, and the calls of the package that they are. */

/**
 * @typedef {import("comet-tasks").Task} Task
 * @typedef {import("./orders.js").Order} Order
 * @typedef {import("./notes.js").Note} Note
 * @typedef {{ text: string, name: string, order: Order }} FollowUp
 * @typedef {{ label: string, items: FollowUp[] }} Group
 */

/** The beginnings of custom ids, and what each does. @type {[RegExp, string][]} */
const WORDS = [
  [/^MJ::JOB::reroll/, "Make it again"],
  [/^MJ::JOB::upsample_\w+_subtle/, "Enlarge, as it is"],
  [/^MJ::JOB::upsample_\w+_creative/, "Enlarge, with new details"],
  [/^MJ::JOB::low_variation/, "Vary a little"],
  [/^MJ::JOB::high_variation/, "Vary a lot"],
  [/^MJ::Inpaint/, "Repaint a part …"],
  [/^MJ::CustomZoom/, "Zoom out as you say …"],
  [/^MJ::Outpaint::50/, "Zoom out 2×"],
  [/^MJ::Outpaint::75/, "Zoom out 1.5×"],
  [/^MJ::Outpaint::100/, "Make it square"],
  [/^MJ::JOB::pan_left/, "Widen to the left"],
  [/^MJ::JOB::pan_right/, "Widen to the right"],
  [/^MJ::JOB::pan_up/, "Widen upwards"],
  [/^MJ::JOB::pan_down/, "Widen downwards"],
  [/^MJ::JOB::animate_high_extend/, "Extend, much motion"],
  [/^MJ::JOB::animate_low_extend/, "Extend, little motion"],
  [/^MJ::JOB::animate_high/, "Animate, much motion"],
  [/^MJ::JOB::animate_low/, "Animate, little motion"],
];
const MAKES_VIDEO = /^MJ::JOB::(animate|video)/;

/** @param {Task} task @param {Note} note @returns {Group[]} groups with nothing in them are left out */
export function followUps(task, note) {
  const upscales = numbered(task, note, /^MJ::JOB::upsample::([1-4])/, "Upscale");
  const variations = numbered(task, note, /^MJ::JOB::variation::([1-4])/, "Vary");
  const taken = new Set([...upscales, ...variations].map(({ order }) => customIdOf(order)));
  const others = task.buttons
    .filter(({ customId }) => customId && !taken.has(customId) && !/BOOKMARK/i.test(customId))
    .map((button) => press(task, note, button, wordsOf(button)));
  const groups = [
    { label: "Upscale", items: upscales },
    { label: "Vary", items: variations },
    { label: "Extend", items: extensions(task, note) },
    { label: "More", items: [...inMotion(task, note), ...others] },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

/** @param {Task} task @param {Note} note @param {RegExp} pattern @param {string} word @returns {FollowUp[]} */
function numbered(task, note, pattern, word) {
  return task.buttons.flatMap((button) => {
    const number = pattern.exec(button.customId)?.[1];
    return number ? [{ ...press(task, note, button, `${word} ${number}`), text: number }] : [];
  });
}

/** @param {Task} task @param {Note} note @param {{ customId: string }} button @param {string} name @returns {FollowUp} */
function press(task, note, { customId }, name) {
  const way = MAKES_VIDEO.test(customId) ? "video" : note.way;
  const params = { taskId: task.handle.id, customId };
  return followUp(name, { ...note, way }, { kind: "action", params });
}

/** A Midjourney video goes on from its last picture, each clip by itself. @param {Task} task @param {Note} note @returns {FollowUp[]} */
function extensions(task, note) {
  if (task.handle.family !== "midjourney" || task.status !== "succeeded") return [];
  return task.videos.slice(0, 4).map((_, place) => {
    const index = /** @type {0 | 1 | 2 | 3} */ (place);
    const params = /** @type {const} */ ({ action: "extend", index, taskId: task.handle.id });
    const item = followUp(`Extend clip ${place + 1}`, note, { kind: "video", params });
    return { ...item, text: String(place + 1) };
  });
}

/** @param {Task} task @param {Note} note @returns {FollowUp[]} */
function inMotion(task, note) {
  if (task.images.length !== 1 || task.videos.length > 0) return [];
  const params = /** @type {const} */ ({ image: task.images[0], motion: "low" });
  return [followUp("Set in motion", { ...note, way: "video" }, { kind: "video", params })];
}

/** @param {string} name @param {Note} note @param {Order["call"]} call @returns {FollowUp} */
function followUp(name, { way, title, shape }, call) {
  const [, rest] = title.split(" · ");
  return {
    text: name,
    name,
    order: { way, shape, title: `${name.replace(" …", "")} · ${rest ?? title}`, call },
  };
}

/** @param {{ customId: string, label: string, emoji: string }} button */
function wordsOf({ customId, label, emoji }) {
  const known = WORDS.find(([pattern]) => pattern.test(customId));
  return known ? known[1] : [emoji, label].filter(Boolean).join(" ") || customId;
}

/** @param {Order} order */
function customIdOf({ call }) {
  return call.kind === "action" ? call.params.customId : "";
}
