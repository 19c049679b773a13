/** Three bytes make four letters: pieces of a multiple of three join without padding between. */
const BASE64_PIECE = 3 * 8192;
/** Some dozens of them make a large picture. */
const BLOB_PIECE = 32 * BASE64_PIECE;
/** Bodies up to this size, in bytes, go out as text like all others: it is what wrappers of fetch expect of JSON. */
const TEXT_UP_TO = 1024 * 1024;

/**
 * A request's JSON with pictures in it: text, or bytes where it is large. Their letters are made piece by piece at the place
 * where they leave from: as strings that are joined they would stand in memory twice, and once more as bytes.
 *
 * @param {string} text with a gap for each picture
 * @param {[at: number, image: number, type: string][]} gaps places in bytes of UTF-8
 * @param {any[]} images data URIs, Uint8Arrays and Blobs
 */
export async function jsonBody(text, gaps, images) {
  const plain = new TextEncoder().encode(text);
  const sources = gaps.map(([at, image, type]) => {
    const source = images[image];
    const head = typeof source === "string" ? source : `data:${type};base64,`;
    const size = typeof source === "string" ? 0 : (source.length ?? source.size);
    return { at, source, head, letters: head.length + Math.ceil(size / 3) * 4 };
  });
  const whole = new Uint8Array(sources.reduce((length, { letters }) => length + letters, plain.length));
  let [written, read] = [0, 0];
  for (const { at, source, head, letters } of sources) {
    whole.set(plain.subarray(read, at), written);
    written += at - read;
    read = at;
    await writeLetters(source, head, whole.subarray(written, (written += letters)));
  }
  whole.set(plain.subarray(read), written);
  return whole.length <= TEXT_UP_TO ? new TextDecoder().decode(whole) : whole;
}

/** @param {any} source @param {string} head @param {Uint8Array} target */
async function writeLetters(source, head, target) {
  const encoder = new TextEncoder();
  let written = 0;
  const write = (/** @type {string} */ letters) => {
    written += encoder.encodeInto(letters, target.subarray(written)).written;
  };
  const writeBytes = (/** @type {Uint8Array} */ bytes) => {
    for (let at = 0; at < bytes.length; at += BASE64_PIECE) {
      // @ts-expect-error: apply takes any array of numbers
      write(btoa(String.fromCharCode.apply(null, bytes.subarray(at, at + BASE64_PIECE))));
    }
  };
  write(head);
  if (source instanceof Uint8Array) return writeBytes(source);
  if (typeof source === "string") return;
  // A Blob is read in pieces too: it may be a file, and as a whole it would stand in memory beside its letters.
  for (let at = 0; at < source.size; at += BLOB_PIECE) {
    const end = Math.min(source.size, at + BLOB_PIECE);
    const bytes = new Uint8Array(await source.slice(at, end).arrayBuffer());
    if (bytes.length !== end - at) throw new Error("the picture is not of the size that it said");
    writeBytes(bytes);
  }
}

/**
 * A request's form: its parts in their order.
 * @param {[name: string, value: string, image?: number, type?: string][]} parts a file has its name for a value
 * @param {any[]} images
 */
export function formBody(parts, images) {
  const form = new FormData();
  for (const [name, value, image, type] of parts) {
    if (image === undefined) form.append(name, value);
    else form.append(name, typedBlob(images[image], type), value);
  }
  return form;
}

/**
 * The picture as a Blob that says its type: a part without one is guessed at by the service.
 * @param {any} source
 * @param {string | undefined} type
 * @returns {Blob}
 */
function typedBlob(source, type) {
  if (source instanceof Uint8Array)
    return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (source)], { type });
  return source.type === type ? source : source.slice(0, source.size, type);
}
