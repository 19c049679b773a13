// One small landscape, drawn by arithmetic: a boat between hills and water, in four moods. The sandbox's pictures and clips
// are made from it, so nobody's work is in them and anybody may use them.

/** @typedef {import("./png.js").Rgb} Rgb */
/**
 * @typedef {object} Mood
 * @property {[Rgb, Rgb]} sky from the top to the horizon
 * @property {Rgb} sun
 * @property {[number, number, number]} disc x, y and radius of sun or moon, in shares of the width
 * @property {[Rgb, Rgb, Rgb]} hills far to near
 * @property {[Rgb, Rgb]} water near the horizon, near the viewer
 * @property {Rgb} hull
 * @property {Rgb} sail
 * @property {number} ridge moves the hills, so that no two moods share a skyline
 * @property {number} boat where it lies, share of the width
 */

/** @type {Mood[]} */
export const moods = [
  {
    sky: [hex("#f6b89a"), hex("#fdeccb")],
    sun: hex("#fff6dc"),
    disc: [0.64, 0.36, 0.085],
    hills: [hex("#d99a8e"), hex("#b4707a"), hex("#7f4a63")],
    water: [hex("#f2c3a4"), hex("#9b6f88")],
    hull: hex("#43304d"),
    sail: hex("#fff4e2"),
    ridge: 0.2,
    boat: 0.38,
  },
  {
    sky: [hex("#7fb9d8"), hex("#e2f1ee")],
    sun: hex("#fffbe8"),
    disc: [0.27, 0.24, 0.07],
    hills: [hex("#9cc0b8"), hex("#5f9a8c"), hex("#2f6b66")],
    water: [hex("#b9dedd"), hex("#3f8496")],
    hull: hex("#8a3f34"),
    sail: hex("#fdf3dd"),
    ridge: 2.1,
    boat: 0.6,
  },
  {
    sky: [hex("#4b3f72"), hex("#f29e6d")],
    sun: hex("#ffd9a0"),
    disc: [0.47, 0.47, 0.11],
    hills: [hex("#95517a"), hex("#693c6c"), hex("#3c2a52")],
    water: [hex("#d98a72"), hex("#413463")],
    hull: hex("#221a35"),
    sail: hex("#f7d4b8"),
    ridge: 3.7,
    boat: 0.3,
  },
  {
    sky: [hex("#0f1d3a"), hex("#43618c")],
    sun: hex("#eef3ff"),
    disc: [0.74, 0.22, 0.055],
    hills: [hex("#33507b"), hex("#223a60"), hex("#152744")],
    water: [hex("#3f5f8d"), hex("#12213f")],
    hull: hex("#0a1224"),
    sail: hex("#dfe8f7"),
    ridge: 5.4,
    boat: 0.52,
  },
];

const HORIZON = 0.62;
/** Bands instead of a smooth gradient: they look printed, and they compress to a tenth. */
const BANDS = 14;

/**
 * The colour at a point; `x` runs 0..1 over the width, `y` 0..1 over the height, `turn` 0..1 over the loop.
 * @param {Mood} mood @param {number} x @param {number} y @param {number} turn @returns {Rgb}
 */
export function colourAt(mood, x, y, turn) {
  const boat = boatAt(mood, x, y, turn);
  if (boat) return boat;
  if (y > HORIZON) return waterAt(mood, x, y, turn);
  for (const layer of [2, 1, 0]) {
    if (y > ridgeAt(mood, x, layer)) return mood.hills[layer];
  }
  return skyAt(mood, x, y);
}

/** The turn of the still pictures. */
const STILL = 0.15;

/**
 * One mood as a still picture.
 * @param {number} index @returns {(x: number, y: number) => Rgb}
 */
export function pictureOf(index) {
  return (x, y) => colourAt(moods[index], x, y, STILL);
}

/**
 * Four moods, two by two, with a thin gap, as the service lays out a first result.
 * @param {number} x @param {number} y @returns {Rgb}
 */
export function gridAt(x, y) {
  const gap = 0.006;
  const [column, row] = [x < 0.5 ? 0 : 1, y < 0.5 ? 0 : 1];
  if (Math.abs(x - 0.5) < gap / 2 || Math.abs(y - 0.5) < gap / 2) return [255, 255, 255];
  return colourAt(moods[row * 2 + column], x * 2 - column, y * 2 - row, STILL);
}

/** @param {Mood} mood @param {number} x @param {number} y */
function skyAt(mood, x, y) {
  const [discX, discY, radius] = mood.disc;
  const away = Math.hypot(x - discX, y - discY) / radius;
  const base = mix(mood.sky[0], mood.sky[1], band(y / HORIZON));
  if (away < 1) return mood.sun;
  if (away < 1.7) return mix(base, mood.sun, 0.3);
  return away < 2.6 ? mix(base, mood.sun, 0.14) : base;
}

/** @param {Mood} mood @param {number} x @param {number} layer 0 far … 2 near */
function ridgeAt(mood, x, layer) {
  const phase = mood.ridge + layer * 1.9;
  const wave =
    Math.sin(x * (4.2 + layer) + phase) * 0.055 + Math.sin(x * (9.5 + layer * 2) + phase * 2.3) * 0.022;
  return HORIZON - 0.16 + layer * 0.06 + wave * (1 - layer * 0.2);
}

/** @param {Mood} mood @param {number} x @param {number} y @param {number} turn */
function waterAt(mood, x, y, turn) {
  const depth = (y - HORIZON) / (1 - HORIZON);
  const base = mix(mood.water[0], mood.water[1], band(depth));
  const row = Math.floor(depth ** 0.6 * 16);
  const drift = (row % 2 ? 1 : -1) * turn + row * 0.37;
  const crest =
    Math.sin((x * (5 - depth * 2) + drift) * 2 * Math.PI) + Math.sin((x * 3 - drift) * 2 * Math.PI + row);
  const glint = Math.abs(x - mood.disc[0]) < 0.05 + 0.09 * depth ? 0.55 : 0.16;
  return crest > 1.1 ? mix(base, mood.sun, glint) : base;
}

/** @param {Mood} mood @param {number} x @param {number} y @param {number} turn @returns {Rgb | null} */
function boatAt(mood, x, y, turn) {
  const sway = Math.sin(turn * 2 * Math.PI);
  const tilt = sway * 0.05;
  const left = x - mood.boat - sway * 0.012;
  const down = y - HORIZON - 0.13 - Math.cos(turn * 2 * Math.PI) * 0.008;
  const u = left * Math.cos(tilt) + down * Math.sin(tilt);
  const v = down * Math.cos(tilt) - left * Math.sin(tilt);
  if (v > 0 && v < 0.045 && Math.abs(u) < 0.12 - v * 1.1) return mood.hull;
  if (Math.abs(u) < 0.004 && v > -0.27 && v <= 0) return mood.hull;
  if (v < -0.02 && v > -0.26 && u > 0.01 && u < (v + 0.26) * 0.42 + 0.01) return mood.sail;
  if (v < -0.03 && v > -0.22 && u < -0.01 && u > -(v + 0.22) * 0.36 - 0.01)
    return mix(mood.sail, mood.hull, 0.18);
  return null;
}

/** @param {number} share */
function band(share) {
  return Math.round(Math.min(Math.max(share, 0), 1) * BANDS) / BANDS;
}

/** @param {Rgb} a @param {Rgb} b @param {number} share @returns {Rgb} */
function mix(a, b, share) {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** @param {string} text @returns {Rgb} */
function hex(text) {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
