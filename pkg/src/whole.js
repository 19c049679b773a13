/**
 * Whether a reply's text is JSON that has its end, an object or a list: nothing can follow. Whatever becomes of the connection
 * after it, it is a reply, and may be the only place where a task's name is.
 * @param {string} text
 */
export function isWhole(text) {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}
