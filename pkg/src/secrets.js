/** Shorter ones would be found in ordinary words; no service gives out such keys. */
const SHORTEST = 8;
/** A client whose key changes with every request need not remember them all. */
const MOST = 64;
/** So many letters of a key's beginning at a cut are no accident. */
const SHORTEST_PIECE = 4;
/** Fields that end where a longer text was cut. */
const CUT = new Set(["message", "excerpt"]);
/** An escape, or one of those fields. */
const SUSPECT = /\\|"message"|"excerpt"/;
/** Values of what a host threw that are looked through; beyond, it is taken to hold a key. */
const MOST_VALUES = 1_000;

/**
 * The keys that were sent, to be taken out of whatever is told: a hostile or careless service repeats them.
 * Texts are cleaned after their JSON was read, value by value: on the JSON itself a key might match across its quotes, or
 * hide behind an escape.
 */
export class Secrets {
  /** @type {Set<string>} */
  #keys = new Set();

  /** @param {string} key */
  remember(key) {
    if (key.length < SHORTEST || this.#keys.has(key)) return;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > MOST) this.#keys.delete(oldest);
  }

  /** @param {string} json */
  parse(json) {
    const value = JSON.parse(json);
    return this.#mayBeIn(json) ? this.#cleaned(value, "") : value;
  }

  /** Most texts are seen to be clean as they are: no key, nothing that hides behind an escape, nothing that was cut. @param {string} json */
  #mayBeIn(json) {
    if (this.#keys.size === 0) return false;
    return SUSPECT.test(json) || [...this.#keys].some((key) => json.includes(key));
  }

  /**
   * A walk of its own: the reviver of JSON.parse takes nearly three times as long.
   * @param {any} value
   * @param {string} name
   * @returns {any}
   */
  #cleaned(value, name) {
    if (typeof value === "string") return this.#clean(value, CUT.has(name));
    if (typeof value !== "object" || value === null) return value;
    for (const name of Object.keys(value)) value[name] = this.#cleaned(value[name], name);
    return value;
  }

  /**
   * What the host threw, as it is, unless a key or a piece of one is somewhere in it: Node's errors hold what is left of a
   * reply from the place on where it could not be parsed.
   * @param {any} cause
   */
  safe(cause) {
    const left = { values: MOST_VALUES };
    if (this.#keys.size === 0 || !this.#isIn(cause, new Set(), left)) return cause;
    const message = String(peek(Object(cause), "message"));
    return new Error(this.#isIn(message, new Set(), left) ? "left out, because it repeats the key" : message);
  }

  /** @param {string} text @param {boolean} isCut */
  #clean(text, isCut) {
    for (const key of this.#keys) {
      if (text.includes(key)) text = text.replaceAll(key, "[key]");
      if (isCut) text = withoutPiece(text, key);
    }
    return text;
  }

  /**
   * @param {unknown} value
   * @param {Set<object>} seen
   * @param {{ values: number }} left
   * @returns {boolean}
   */
  #isIn(value, seen, left) {
    if (typeof value === "string") return [...this.#keys].some((key) => sharesPiece(value, key));
    if (typeof value !== "object" || value === null || seen.has(value)) return false;
    seen.add(value);
    return Reflect.ownKeys(value).some((name) => {
      left.values -= 1;
      return left.values < 0 || this.#isIn(name, seen, left) || this.#isIn(peek(value, name), seen, left);
    });
  }
}

/**
 * A text that was cut may end in the middle of the key.
 * @param {string} text
 * @param {string} key
 */
function withoutPiece(text, key) {
  for (let length = key.length - 1; length >= SHORTEST_PIECE; length -= 1) {
    if (text.endsWith(key.slice(0, length))) return `${text.slice(0, -length)}[key]`;
  }
  return text;
}

/** @param {string} text @param {string} key */
function sharesPiece(text, key) {
  for (let at = 0; at + SHORTEST <= key.length; at += 1) {
    if (text.includes(key.slice(at, at + SHORTEST))) return true;
  }
  return false;
}

/** @param {any} object @param {PropertyKey} name */
function peek(object, name) {
  try {
    return object[name];
  } catch {
    return undefined;
  }
}
