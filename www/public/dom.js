/**
 * The one element of this kind that the page must have; its absence is a mistake in index.html, so it throws.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/**
 * A copy of what a template holds.
 * @param {string} id
 */
export function fromTemplate(id) {
  const copy = find(document, `#${id}`, HTMLTemplateElement).content.cloneNode(true);
  return /** @type {DocumentFragment} */ (copy);
}

/**
 * @param {string} label
 * @param {() => void} onClick
 */
export function button(label, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "plain";
  element.textContent = label;
  element.addEventListener("click", onClick);
  return element;
}

/** Read each time: people change it while a page is open. */
export function prefersStillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
