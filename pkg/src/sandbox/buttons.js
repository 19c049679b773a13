// What can be done with a finished picture or video: the buttons below it, and what each custom id starts.

/** @typedef {import("./types.js").MidjourneyTask} MidjourneyTask */
/** @typedef {import("./types.js").Outcome} Outcome */
/** @typedef {{ customId: string, emoji: string, label: string, type: number, style: number }} Button */
/**
 * What a custom id starts. `modal`: only after its window was confirmed. `remix`: so too, when the submit asks for it.
 * @typedef {{ action: string, outcome: Outcome, modal?: boolean, remix?: boolean }} Start
 */

/** @type {Outcome} */
const GRID = { kind: "grid" };
/** @type {Outcome} */
const CLIPS = { kind: "clips" };

/**
 * Custom id families (protocol.md 1.4), with what their numbers mean for the parent.
 * @type {[RegExp, (parent: MidjourneyTask, number: string) => Start][]}
 */
const FAMILIES = [
  [
    /^MJ::JOB::upsample::([1-4])(::|$)/,
    (_, n) => ({ action: "UPSCALE", outcome: { kind: "picture", index: Number(n) - 1 } }),
  ],
  [
    /^MJ::JOB::upsample_\w+_2x_(?:subtle|creative)(::|$)/,
    (parent) => ({ action: "UPSCALE", outcome: parent.outcome }),
  ],
  [/^MJ::JOB::variation::([1-4])(::|$)/, () => ({ action: "VARIATION", outcome: GRID, remix: true })],
  [/^MJ::JOB::(?:high|low)_variation(::|$)/, () => ({ action: "VARIATION", outcome: GRID, remix: true })],
  [/^MJ::JOB::reroll::0(::|$)/, (parent) => ({ action: "REROLL", outcome: parent.outcome, remix: true })],
  [/^MJ::Outpaint::(50|75|100)(::|$)/, () => ({ action: "ZOOM", outcome: GRID })],
  [/^MJ::CustomZoom(::|$)/, () => ({ action: "CUSTOM_ZOOM", outcome: GRID, modal: true })],
  [/^MJ::Inpaint(::|$)/, () => ({ action: "INPAINT", outcome: GRID, modal: true })],
  [/^MJ::JOB::pan_(?:left|right|up|down)(::|$)/, () => ({ action: "PAN", outcome: GRID, remix: true })],
  [/^MJ::JOB::animate_(?:high|low)(::|$)/, () => ({ action: "VIDEO", outcome: CLIPS, remix: true })],
  [
    /^MJ::JOB::animate_(?:high|low)_extend::([1-4])(::|$)/,
    () => ({ action: "VIDEO", outcome: CLIPS, remix: true }),
  ],
  [/^MJ::JOB::video_virtual_upscale(::|$)/, () => ({ action: "VIDEO", outcome: CLIPS })],
  [/^MJ::Job::PicReader::([1-4])(::|$)/, () => ({ action: "IMAGINE", outcome: GRID })],
  [/^MJ::Picread::Retry(::|$)/, (parent) => ({ action: "DESCRIBE", outcome: parent.outcome })],
];

/** @param {string} customId @param {MidjourneyTask} parent @returns {Start | null} null: no family has it */
export function startOf(customId, parent) {
  for (const [pattern, start] of FAMILIES) {
    const match = pattern.exec(customId);
    if (match) return start(parent, match[1]);
  }
  return null;
}

/** @param {string} customId */
export function isKnown(customId) {
  return (
    isPicReaderAll(customId) || isBookmark(customId) || FAMILIES.some(([pattern]) => pattern.test(customId))
  );
}

/** Starts one picture for each of the four texts. @param {string} customId */
export function isPicReaderAll(customId) {
  return /^MJ::Job::PicReader::all(::|$)/.test(customId);
}

/** Starts nothing: the reply names the parent. @param {string} customId */
export function isBookmark(customId) {
  return /^MJ::BOOKMARK(::|$)/.test(customId);
}

/** @param {MidjourneyTask} task a finished one @returns {Button[]} */
export function buttonsOf(task) {
  if (task.outcome.kind === "grid") return gridButtons(task.hash);
  if (task.outcome.kind === "picture") return pictureButtons(task.hash);
  if (task.outcome.kind === "clips") return clipButtons(task.hash);
  return task.action === "DESCRIBE" ? textButtons() : [];
}

/** @param {string} hash */
function gridButtons(hash) {
  const upscales = [1, 2, 3, 4].map((n) => button(`MJ::JOB::upsample::${n}::${hash}`, `U${n}`));
  const variations = [1, 2, 3, 4].map((n) => button(`MJ::JOB::variation::${n}::${hash}`, `V${n}`));
  return [...upscales, button(`MJ::JOB::reroll::0::${hash}::SOLO`, "", "🔄"), ...variations];
}

/** @param {string} hash */
function pictureButtons(hash) {
  return [
    button(`MJ::JOB::upsample_v6_2x_subtle::1::${hash}::SOLO`, "Upscale (Subtle)"),
    button(`MJ::JOB::upsample_v6_2x_creative::1::${hash}::SOLO`, "Upscale (Creative)"),
    button(`MJ::JOB::low_variation::1::${hash}::SOLO`, "Vary (Subtle)", "🪄"),
    button(`MJ::JOB::high_variation::1::${hash}::SOLO`, "Vary (Strong)", "🪄"),
    button(`MJ::Inpaint::1::${hash}::SOLO`, "Vary (Region)", "🖌️"),
    button(`MJ::Outpaint::50::1::${hash}::SOLO`, "Zoom Out 2x", "🔍"),
    button(`MJ::Outpaint::75::1::${hash}::SOLO`, "Zoom Out 1.5x", "🔍"),
    button(`MJ::CustomZoom::${hash}`, "Custom Zoom", "🔍"),
    button(`MJ::JOB::pan_left::1::${hash}::SOLO`, "", "⬅️"),
    button(`MJ::JOB::pan_right::1::${hash}::SOLO`, "", "➡️"),
    button(`MJ::JOB::pan_up::1::${hash}::SOLO`, "", "⬆️"),
    button(`MJ::JOB::pan_down::1::${hash}::SOLO`, "", "⬇️"),
    button(`MJ::JOB::animate_high::1::${hash}::SOLO`, "Animate (High motion)"),
    button(`MJ::JOB::animate_low::1::${hash}::SOLO`, "Animate (Low motion)"),
    button(`MJ::BOOKMARK::${hash}`, "", "❤️"),
  ];
}

/** @param {string} hash */
function clipButtons(hash) {
  const extend = (/** @type {string} */ motion, /** @type {string} */ label) =>
    [1, 2, 3, 4].map((n) => button(`MJ::JOB::animate_${motion}_extend::${n}::${hash}`, `${label} ${n}`));
  const upscales = [1, 2, 3, 4].map((n) => button(`MJ::JOB::video_virtual_upscale::${n}::${hash}`, `U${n}`));
  return [...upscales, ...extend("low", "Extend Low"), ...extend("high", "Extend High")];
}

function textButtons() {
  const numbers = [1, 2, 3, 4].map((n) => button(`MJ::Job::PicReader::${n}`, "", `${n}️⃣`));
  return [
    ...numbers,
    button("MJ::Picread::Retry", "", "🔄"),
    button("MJ::Job::PicReader::all", "Imagine all", "🎉"),
  ];
}

/** @param {string} customId @param {string} label @param {string} [emoji] @returns {Button} */
function button(customId, label, emoji = "") {
  return { customId, emoji, label, type: 2, style: 2 };
}
