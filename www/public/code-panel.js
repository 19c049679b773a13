/** The request as code, which changes with the form. */
import { asCurl, asJavaScript } from "./code.js";
import { find } from "./dom.js";

/**
 * @param {HTMLDetailsElement} root
 * @param {() => string} baseUrl of the service
 */
export function mountCode(root, baseUrl) {
  const code = find(root, "code", HTMLElement);
  const copy = find(root, ".copy", HTMLButtonElement);
  /** @type {import("./orders.js").Order | null} */
  let order = null;
  const language = () => new FormData(find(root, "form", HTMLFormElement)).get("language");
  const show = () => {
    copy.hidden = !order;
    copy.textContent = "Copy";
    if (!root.open) return;
    if (!order) code.textContent = "Fill in the form above: the request that it makes appears here.";
    else code.textContent = (language() === "curl" ? asCurl : asJavaScript)(order.call, baseUrl());
  };
  root.addEventListener("toggle", show);
  root.addEventListener("change", show);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      copy.textContent = "Copied";
    } catch {
      // Not allowed here: what can be selected can be copied by hand.
      getSelection()?.selectAllChildren(code);
      copy.textContent = "Press Ctrl+C";
    }
  });
  show();
  return {
    /** @param {import("./orders.js").Order | null} next */
    show(next) {
      order = next;
      show();
    },
  };
}
