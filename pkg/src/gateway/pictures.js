const [QUOTE, BACKSLASH, SMALL_D, LARGE_D] = [0x22, 0x5c, 0x64, 0x44];
const HEAD = /^data:image\/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64,/i;
/** All of the body but its pictures: a prompt, ids, a few words. */
const LARGEST_REST = 256 * 1024;

const IS_BASE64 = new Uint8Array(256);
for (const letter of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") {
  IS_BASE64[letter.charCodeAt(0)] = 1;
}

/**
 * Takes the data URIs out of a JSON body, so that twenty megabytes of letters need not pass through the wasm. In their
 * places stands `{image, uri}`: the number of the picture, and its first letters.
 *
 * A caller may write such an object himself; it names a picture of his own body or none, and the wasm refuses a body
 * whose pictures do not each go out once.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {{ rest: Uint8Array<ArrayBuffer>, pictures: Uint8Array<ArrayBuffer>[] } | undefined} nothing when too much is left
 */
export function cutPictures(bytes) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pictures = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  let [kept, size] = [0, 0];
  for (let at = 0; ;) {
    const start = bytes.indexOf(QUOTE, at);
    const end = start < 0 ? -1 : endOfString(bytes, start);
    if (end < 0) break;
    const uri = pictureStart(bytes.subarray(start + 1, end));
    if (uri) {
      const place = new TextEncoder().encode(JSON.stringify({ image: pictures.length, uri }));
      pieces.push(bytes.subarray(kept, start), place);
      pictures.push(bytes.subarray(start + 1, end));
      size += start - kept + place.length;
      kept = end + 1;
    }
    at = end + 1;
    if (size + at - kept > LARGEST_REST) return undefined;
  }
  if (size + bytes.length - kept > LARGEST_REST) return undefined;
  return { rest: join([...pieces, bytes.subarray(kept)]), pictures };
}

/**
 * A text with pictures in the places of its marks, as bytes.
 * @param {string[]} texts one more than pictures
 * @param {Uint8Array<ArrayBuffer>[]} pictures
 */
export function fillPictures(texts, pictures) {
  const encoder = new TextEncoder();
  return join(
    texts.flatMap((text, at) => {
      const picture = pictures[at];
      return picture ? [encoder.encode(text), picture] : [encoder.encode(text)];
    }),
  );
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} start of the string that ends there */
function endOfString(bytes, start) {
  for (let end = start; ;) {
    end = bytes.indexOf(QUOTE, end + 1);
    let before = end - 1;
    while (bytes[before] === BACKSLASH) before -= 1;
    if (end < 0 || (end - before) % 2 === 1) return end;
  }
}

/** The beginning of a sound data URI; nothing of any other text. @param {Uint8Array} text */
function pictureStart(text) {
  if (text[0] !== SMALL_D && text[0] !== LARGE_D) return undefined;
  const head = HEAD.exec(String.fromCharCode(...text.subarray(0, 200)))?.[0];
  if (!head || text.length === head.length) return undefined;
  for (let at = head.length; at < text.length; at += 1) {
    if (IS_BASE64[/** @type {number} */ (text[at])] === 0) return undefined;
  }
  return head + String.fromCharCode(/** @type {number} */ (text[head.length]));
}

/** @param {Uint8Array<ArrayBuffer>[]} pieces */
export function join(pieces) {
  const [only] = pieces;
  if (pieces.length === 1 && only) return only;
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
