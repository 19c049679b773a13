// What was measured, line by line: its value, its target, and whether it is reached.

/**
 * @typedef {{ name: string, ours: string, target?: string, isMet?: boolean }} Line `target` and `isMet`, or neither
 * @typedef {{ title: string, lines: Line[] }} Section
 */

/** @param {number} value */
export const figure = (value) => (value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString());

/**
 * A line with a target: at most so much.
 * @param {string} name
 * @param {number} value
 * @param {number} most
 * @param {{ unit?: string, note?: string }} [more] `note` is what the value was made of
 * @returns {Line}
 */
export function atMost(name, value, most, { unit = "", note = "" } = {}) {
  const text = `${figure(value)}${unit}`;
  return {
    name,
    ours: note ? `${text} (${note})` : text,
    target: `≤ ${figure(most)}${unit}`,
    isMet: value <= most,
  };
}

/**
 * A line without one.
 * @param {string} name
 * @param {string} value
 * @returns {Line}
 */
export const told = (name, value) => ({ name, ours: value });

/** @param {Line} line */
const verdict = ({ isMet }) => (isMet === undefined ? "–" : isMet ? "met" : "MISSED");

/** @param {Section[]} sections */
export function print(sections) {
  for (const { title, lines } of sections) {
    const rows = lines.map((line) => [line.name, line.ours, line.target ?? "–", verdict(line)]);
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
    console.log(`\n━━ ${title}`);
    rows.forEach((row) => console.log(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")));
  }
}

/** @param {Section[]} sections */
export function markdown(sections) {
  const head = "| | ours | target | |\n|---|---|---|---|";
  const row = (/** @type {Line} */ line) =>
    `| ${line.name} | ${line.ours} | ${line.target ?? "–"} | ${verdict(line)} |`;
  return sections
    .map(({ title, lines }) => [`**${title}**\n`, head, ...lines.map(row)].join("\n"))
    .join("\n\n");
}

/** @param {Section[]} sections */
export const missed = (sections) =>
  sections.flatMap(({ lines }) => lines).filter(({ isMet }) => isMet === false);
