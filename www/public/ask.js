/** A question that must be answered before anything happens. */
import { find } from "./dom.js";

/**
 * @param {string} title @param {string} text @param {string} yes the label of the button that goes on
 * @returns {Promise<boolean>}
 */
export function ask(title, text, yes) {
  const dialog = find(document, "#ask", HTMLDialogElement);
  find(dialog, "h2", HTMLElement).textContent = title;
  find(dialog, "p", HTMLElement).textContent = text;
  find(dialog, "[value=yes]", HTMLButtonElement).textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
