// Runs inside the demo's page, as a person would use it, and tells the test by going to its address.
const report = new URL(new URLSearchParams(location.search).get("report") ?? "");

/** @param {string} outcome */
function tell(outcome) {
  report.search = new URLSearchParams({ outcome }).toString();
  location.href = report.href;
}

/**
 * @template T
 * @param {string} what
 * @param {() => T | null | undefined | false} look
 * @returns {Promise<T>}
 */
async function until(what, look) {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come; the page shows: ${document.body.innerText.slice(0, 400)}`);
}

/** @param {string} selector @returns {any} */
const one = (selector) => document.querySelector(selector);

/** @param {string} way */
function choose(way) {
  const radio = one(`[name=way][value=${way}]`);
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

/** @param {string} field */
async function givePicture(field) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  canvas.getContext("2d")?.fillRect(8, 8, 48, 48);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  const data = new DataTransfer();
  data.items.add(new File([/** @type {Blob} */ (blob)], "boat.png", { type: "image/png" }));
  one(`[data-field=${field}]`).dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
  await until("the thumbnail", () => one(`[data-field=${field}].filled`));
}

/** @param {string} prompt */
async function make(prompt) {
  one("#prompt").value = prompt;
  one("#form").requestSubmit();
  await until(`“${prompt}”`, () =>
    [...document.querySelectorAll("[data-state=done] h3")].some((title) => title.textContent === prompt),
  );
}

async function first() {
  await until("the page", () => one("#badge:not([hidden])"));
  await make("A picture");
  const picture = await until("the picture", () => one(".card img:not(.preview)"));
  await until("its pixels", () => picture.naturalWidth > 0);
  choose("video");
  await givePicture("image");
  await make("A video");
  choose("veo");
  await givePicture("firstFrame");
  await make("Another video");
  one(".group button").click(); // Upscale 1, or Extend
  await until("a fourth task", () => document.querySelectorAll(".card[data-state=done]").length === 4);
}

async function afterReload() {
  await until("the four tasks", () => document.querySelectorAll(".card[data-state=done]").length === 4);
}

try {
  if (sessionStorage.getItem("driven")) {
    await afterReload();
    tell("done");
  } else {
    await first();
    sessionStorage.setItem("driven", "yes");
    location.reload();
  }
} catch (error) {
  tell(String(error));
}
export {};
