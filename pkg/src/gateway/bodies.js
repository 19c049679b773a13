import { toHex } from "../hex.js";
import { join } from "./pictures.js";

/** A body that is longer than it may be. */
export class TooLarge extends Error {}

/** Text of a form outside of its pictures: a prompt and a few words. */
const LARGEST_TEXT = 256 * 1024;
const MOST_PARTS = 32;

/**
 * A body's bytes, counted as they come: no header is believed.
 * @param {ReadableStream<Uint8Array> | null} body
 * @param {number} most
 * @param {Uint8Array<ArrayBuffer>[]} [pieces] what has come so far, for who wants to know
 */
export async function readBytes(body, most, pieces = []) {
  if (!body) return new Uint8Array(0);
  const reader = body.getReader();
  for (let length = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return join(pieces.length > 0 ? pieces : [new Uint8Array(0)]);
    length += value.length;
    if (length > most) {
      // Nobody waits for the rest, nor for its end.
      reader.cancel().catch(() => {});
      throw new TooLarge();
    }
    pieces.push(/** @type {Uint8Array<ArrayBuffer>} */ (value));
  }
}

/**
 * A form taken apart by the host's own parser, so that what goes out can be written by the host's own writer: boundaries,
 * names and headers of the caller's are not passed on.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} type with its boundary
 */
export async function readForm(bytes, type) {
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  /** @type {Blob[]} */
  const files = [];
  const parts = [];
  let size = 0;
  for (const [name, value] of form) {
    if (parts.length === MOST_PARTS) throw new TooLarge();
    size += name.length + (typeof value === "string" ? value.length : value.name.length);
    if (size > LARGEST_TEXT) throw new TooLarge();
    if (typeof value === "string") {
      parts.push({ name, value });
    } else {
      const file = { image: files.length, type: value.type, size: value.size, name: value.name };
      files.push(value);
      parts.push({ name, file: { ...file, head: await firstBytes(value) } });
    }
  }
  return { parts: JSON.stringify(parts), files };
}

/** In hexadecimal. @param {Blob} file */
async function firstBytes(file) {
  return toHex(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
}

/**
 * @param {({ name: string, value: string } | { name: string, file: number, filename: string, type: string })[]} parts
 * @param {Blob[]} files
 */
export function writeForm(parts, files) {
  const form = new FormData();
  for (const part of parts) {
    if ("value" in part) {
      form.append(part.name, part.value);
    } else {
      const file = /** @type {Blob} */ (files[part.file]);
      form.append(part.name, file.slice(0, file.size, part.type), part.filename);
    }
  }
  return form;
}
