/** The form: three ways to make something, and the call of the package that each of them is. */
import { find } from "./dom.js";
import { createImageField } from "./image-field.js";

/**
 * @typedef {import("./orders.js").Order} Order
 * @typedef {import("./orders.js").Way} Way
 */

/** @type {Record<Way, { button: string, label: string, hint: string, placeholder: string }>} */
const WORDS = {
  picture: {
    button: "Make picture",
    label: "Prompt",
    hint: "Flags like --ar 16:9 work here.",
    placeholder: "A lighthouse in a winter storm, film grain",
  },
  video: {
    button: "Make video",
    label: "What should happen?",
    hint: "May be left empty: then Midjourney decides.",
    placeholder: "The camera moves slowly closer",
  },
  veo: {
    button: "Make video",
    label: "Prompt",
    hint: "Say what is seen, what moves, and how the camera moves.",
    placeholder: "A paper boat drifts down a rain gutter, close-up",
  },
};

/**
 * Wires the form. `onOrder` is called with each complete order, and is done when its submit was answered; `onEdit` with what
 * the form holds meanwhile, or null.
 * @param {HTMLFormElement} form
 * @param {{ onOrder(order: Order): Promise<void>, onEdit(order: Order | null): void }} hooks
 */
export function mountForm(form, { onOrder, onEdit }) {
  const prompt = find(form, "#prompt", HTMLTextAreaElement);
  const imageUrl = find(form, "[name=imageUrl]", HTMLInputElement);
  const make = find(form, "#make", HTMLButtonElement);
  const edited = () => onEdit(read(form, prompt.value.trim(), images, imageUrl, () => null));
  const images = mountImages(form, imageUrl, () => edited());
  const showWay = () => {
    showFieldsOf(form, prompt);
    edited();
  };
  for (const radio of form.querySelectorAll("[name=way]")) radio.addEventListener("change", showWay);
  prompt.addEventListener("input", () => complain(form, "prompt", null));
  imageUrl.addEventListener("input", () => complain(form, "image", null));
  form.addEventListener("input", edited);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // One press, one task: until the answer is there, a second press would be a second one.
    if (make.getAttribute("aria-disabled") === "true") return;
    const order = read(form, prompt.value.trim(), images, imageUrl, (name, problem, field) =>
      refuse(form, name, problem, field),
    );
    if (!order) return;
    make.setAttribute("aria-disabled", "true");
    await onOrder(order);
    make.removeAttribute("aria-disabled");
  });
  acceptPaste(form, images, showWay);
  showWay();
  return {
    /** Fills the form; the person still presses the button. @param {Way} way @param {string} text */
    fill(way, text) {
      choose(form, way);
      prompt.value = text;
      showWay();
      prompt.focus();
    },
  };
}

/** @param {HTMLFormElement} form @param {Way} way */
function choose(form, way) {
  find(form, `[name=way][value=${way}]`, HTMLInputElement).checked = true;
}

/** @param {HTMLFormElement} form @param {HTMLTextAreaElement} prompt */
function showFieldsOf(form, prompt) {
  const way = chosenWay(form);
  for (const part of form.querySelectorAll("[data-way]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.way !== way;
  }
  find(form, "#prompt-label", HTMLElement).textContent = WORDS[way].label;
  find(form, "#prompt-hint", HTMLElement).textContent = WORDS[way].hint;
  prompt.placeholder = WORDS[way].placeholder;
  find(form, "#make", HTMLButtonElement).textContent = WORDS[way].button;
  for (const name of ["prompt", "image", "frames"]) complain(form, name, null);
}

/**
 * A picture that is pasted anywhere on the page goes where a picture is wanted.
 * @param {HTMLFormElement} form @param {Images} images @param {() => void} showWay
 */
function acceptPaste(form, { image, firstFrame, lastFrame }, showWay) {
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (chosenWay(form) === "picture") {
      choose(form, "video");
      showWay();
    }
    if (chosenWay(form) === "video") image.offer(file);
    else (firstFrame.file ? lastFrame : firstFrame).offer(file);
  });
}

/** @typedef {ReturnType<typeof mountImages>} Images */

/** @param {HTMLFormElement} form @param {HTMLInputElement} imageUrl @param {() => void} onEdit */
function mountImages(form, imageUrl, onEdit) {
  /** @param {string} name @param {string} label @param {string} problemName */
  const field = (name, label, problemName) =>
    createImageField(find(form, `[data-field=${name}]`, HTMLElement), {
      label,
      describedBy: `${problemName}-problem`,
      onChange: (problem) => {
        complain(form, problemName, problem);
        onEdit();
      },
    });
  const image = field("image", "Drop or paste a picture here, or choose one", "image");
  imageUrl.addEventListener("change", () => {
    if (imageUrl.value) image.clear(); // one picture, not two
  });
  return {
    image,
    firstFrame: field("firstFrame", "First frame", "frames"),
    lastFrame: field("lastFrame", "Last frame", "frames"),
  };
}

/** @param {HTMLFormElement} form @returns {Way} */
function chosenWay(form) {
  return /** @type {Way} */ (new FormData(form).get("way"));
}

/** @typedef {(name: string, problem: string, field?: { focus(): void }) => null} Refuse */

/**
 * The order, or null after the first problem was told.
 * @param {HTMLFormElement} form @param {string} prompt @param {Images} images @param {HTMLInputElement} imageUrl @param {Refuse} refuse
 * @returns {Order | null}
 */
function read(form, prompt, images, imageUrl, refuse) {
  const way = chosenWay(form);
  if (way === "video") return readVideo(form, prompt, images, imageUrl, refuse);
  if (!prompt) return refuse("prompt", "Say in a few words what you would like to see.");
  if (way === "veo") return readVeo(form, prompt, images, refuse);
  return { way, title: prompt, shape: shapeOf(prompt), call: { kind: "imagine", params: { prompt } } };
}

/** @param {HTMLFormElement} form @param {string} prompt @param {Images} images @param {HTMLInputElement} imageUrl @param {Refuse} refuse @returns {Order | null} */
function readVideo(form, prompt, images, imageUrl, refuse) {
  const image = images.image.file ?? imageUrl.value.trim();
  if (!image) return refuse("image", "A picture to begin with is needed.", images.image);
  if (typeof image === "string" && !/^https?:\/\/[^/\s]+\S*$/.test(image)) {
    return refuse("image", "The address must begin with https:// or http://.", imageUrl);
  }
  const motion = new FormData(form).get("motion") === "high" ? "high" : "low";
  return {
    way: "video",
    title: prompt || `A picture in ${motion} motion`,
    shape: "wide",
    call: { kind: "video", params: { image, motion, ...(prompt && { prompt }) } },
  };
}

/** @param {HTMLFormElement} form @param {string} prompt @param {Images} images @param {Refuse} refuse @returns {Order | null} */
function readVeo(form, prompt, { firstFrame, lastFrame }, refuse) {
  if (lastFrame.file && !firstFrame.file) {
    return refuse("frames", "A last frame needs a first one.", firstFrame);
  }
  const frames = [firstFrame.file, lastFrame.file].filter((file) => file !== null);
  const size = new FormData(form).get("size") === "9x16" ? "9x16" : "16x9";
  return {
    way: "veo",
    title: prompt,
    shape: size === "9x16" ? "tall" : "wide",
    call: { kind: "veo", params: { prompt, size, ...(frames.length > 0 && { inputReference: frames }) } },
  };
}

/** Midjourney's flag for the aspect, if there is one. @param {string} prompt @returns {import("./orders.js").Shape} */
function shapeOf(prompt) {
  const [, width, height] = /--(?:ar|aspect) (\d+):(\d+)/.exec(prompt) ?? [];
  const ratio = Number(width) / Number(height);
  if (!(ratio > 0)) return "square";
  return ratio > 1.2 ? "wide" : ratio < 0.85 ? "tall" : "square";
}

/**
 * @param {HTMLFormElement} form @param {string} name @param {string} problem
 * @param {{ focus(): void }} [field] the prompt, if not said
 * @returns {null}
 */
function refuse(form, name, problem, field = find(form, "#prompt", HTMLElement)) {
  complain(form, name, problem);
  field.focus();
  return null;
}

/** @param {HTMLFormElement} form @param {string} name @param {string | null} problem */
function complain(form, name, problem) {
  const line = find(form, `#${name}-problem`, HTMLElement);
  line.textContent = problem;
  line.hidden = !problem;
  if (name === "prompt")
    find(form, "#prompt", HTMLElement).setAttribute("aria-invalid", String(problem !== null));
}
