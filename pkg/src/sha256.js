// SHA-256 piece by piece, which WebCrypto cannot do.

/** Made when they are first needed: an import computes nothing. @type {{ rounds: number[], start: number[] } | undefined} */
let made;

/** The first 32 bits after the point of the first primes' roots. */
function constants() {
  /** @type {number[]} */
  const primes = [];
  for (let number = 2; primes.length < 64; number += 1) {
    if (primes.every((prime) => number % prime > 0)) primes.push(number);
  }
  const fraction = (/** @type {number} */ number) => ((number % 1) * 2 ** 32) | 0;
  const rounds = primes.map((prime) => fraction(Math.cbrt(prime)));
  return { rounds, start: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))) };
}

/** @param {number} word @param {number} by */
const rotated = (word, by) => (word >>> by) | (word << (32 - by));

export class Sha256 {
  #constants = (made ??= constants());
  #state = new Int32Array(this.#constants.start);
  #block = new Uint8Array(64);
  #view = new DataView(this.#block.buffer);
  #words = new Int32Array(64);
  #filled = 0;
  #length = 0;

  /** @param {Uint8Array} bytes */
  update(bytes) {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + 64 - this.#filled);
      this.#block.set(piece, this.#filled);
      at += piece.length;
      this.#filled += piece.length;
      if (this.#filled === 64) this.#mix();
    }
  }

  /** In hex; nothing can be added after it. */
  digest() {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setBigUint64(0, BigInt(this.#length) * 8n);
    const padding = 1 + ((119 - (this.#length % 64)) % 64);
    this.update(new Uint8Array([0x80, ...new Uint8Array(padding - 1), ...new Uint8Array(bits.buffer)]));
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #mix() {
    const { rounds } = this.#constants;
    const words = this.#words;
    const block = this.#view;
    for (let at = 0; at < 16; at += 1) words[at] = block.getInt32(at * 4);
    for (let at = 16; at < 64; at += 1) words[at] = extended(words, at);
    let [a, b, c, d, e, f, g, h] = this.#state;
    for (let at = 0; at < 64; at += 1) {
      const high = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const one = (h + high + ((e & f) ^ (~e & g)) + rounds[at] + words[at]) | 0;
      const low = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, at) => (this.#state[at] += word));
    this.#filled = 0;
  }
}

/** @param {Int32Array} words @param {number} at */
function extended(words, at) {
  const [early, late] = [words[at - 15], words[at - 2]];
  const low = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
  const high = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
  return words[at - 16] + low + words[at - 7] + high;
}
