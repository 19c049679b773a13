/** The form: three ways to make something, and the call of the package that each of them is. */
import { find } from "./dom.js";
import { createImageField } from "./image-field.js";

/**
 * @typedef {import("comet-tasks").Client} Client
 * @typedef {import("comet-tasks").TaskHandle} TaskHandle
 * @typedef {"picture" | "video" | "veo"} Way
 * @typedef {"square" | "wide" | "tall"} Shape how the result will probably stand
 * @typedef {{ way: Way, title: string, shape: Shape, submit: (client: Client) => Promise<TaskHandle> }} Order
 */

/** @type {Record<Way, { button: string, label: string, hint: string, placeholder: string }>} */
const WORDS = {
  picture: {
    button: "Make picture",
    label: "Prompt",
    hint: "Midjourney’s flags work here, for instance --ar 16:9.",
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
 * Wires the form. `onOrder` is called with each complete order.
 * @param {HTMLFormElement} form
 * @param {(order: Order) => void} onOrder
 */
export function mountForm(form, onOrder) {
  const prompt = find(form, "#prompt", HTMLTextAreaElement);
  const imageUrl = find(form, "[name=imageUrl]", HTMLInputElement);
  const images = mountImages(form, imageUrl);

  const showWay = () => {
    const way = chosenWay(form);
    for (const part of form.querySelectorAll("[data-way]")) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.way !== way;
    }
    find(form, "#prompt-label", HTMLElement).textContent = WORDS[way].label;
    find(form, "#prompt-hint", HTMLElement).textContent = WORDS[way].hint;
    prompt.placeholder = WORDS[way].placeholder;
    find(form, "#make", HTMLButtonElement).textContent = WORDS[way].button;
    complain(form, "prompt", null);
  };
  for (const radio of form.querySelectorAll("[name=way]")) radio.addEventListener("change", showWay);
  showWay();

  prompt.addEventListener("input", () => complain(form, "prompt", null));
  imageUrl.addEventListener("input", () => complain(form, "image", null));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const order = read(form, prompt.value.trim(), images, imageUrl);
    if (order) onOrder(order);
  });

  return {
    /** Fills the form from a sample; the person still presses the button. @param {Way} way @param {string} text */
    fill(way, text) {
      find(form, `[name=way][value=${way}]`, HTMLInputElement).checked = true;
      prompt.value = text;
      showWay();
      find(form, "#make", HTMLButtonElement).focus();
    },
  };
}

/** @typedef {ReturnType<typeof mountImages>} Images */

/** @param {HTMLFormElement} form @param {HTMLInputElement} imageUrl */
function mountImages(form, imageUrl) {
  /** @param {string} name @param {string} label @param {string} problemName */
  const field = (name, label, problemName) =>
    createImageField(find(form, `[data-field=${name}]`, HTMLElement), {
      label,
      describedBy: `${problemName}-problem`,
      onChange: (problem) => complain(form, problemName, problem),
    });
  const image = field("image", "Drop a picture here, or choose one", "image");
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

/**
 * The order, or null after the first problem is shown beside its field.
 * @param {HTMLFormElement} form @param {string} prompt @param {Images} images @param {HTMLInputElement} imageUrl
 * @returns {Order | null}
 */
function read(form, prompt, images, imageUrl) {
  const way = chosenWay(form);
  if (way === "video") return readVideo(form, prompt, images, imageUrl);
  if (!prompt) return refuse(form, "prompt", "Say in a few words what you would like to see.");
  if (way === "veo") return readVeo(form, prompt, images);
  return { way, title: prompt, shape: "square", submit: (client) => client.submitImagine({ prompt }) };
}

/** @param {HTMLFormElement} form @param {string} prompt @param {Images} images @param {HTMLInputElement} imageUrl @returns {Order | null} */
function readVideo(form, prompt, images, imageUrl) {
  const image = images.image.file ?? imageUrl.value.trim();
  if (!image) return refuse(form, "image", "A picture to begin with is needed.", images.image);
  if (typeof image === "string" && !/^https?:\/\/[^/\s]+\S*$/.test(image)) {
    return refuse(form, "image", "The address must begin with https:// or http://.", imageUrl);
  }
  const motion = new FormData(form).get("motion") === "high" ? "high" : "low";
  return {
    way: "video",
    title: prompt || `A picture in ${motion} motion`,
    shape: "wide",
    submit: (client) => client.submitVideo({ image, motion, ...(prompt && { prompt }) }),
  };
}

/** @param {HTMLFormElement} form @param {string} prompt @param {Images} images @returns {Order | null} */
function readVeo(form, prompt, { firstFrame, lastFrame }) {
  if (lastFrame.file && !firstFrame.file) {
    return refuse(form, "frames", "A last frame needs a first one.", firstFrame);
  }
  const frames = [firstFrame.file, lastFrame.file].filter((file) => file !== null);
  const size = new FormData(form).get("size") === "9x16" ? "9x16" : "16x9";
  return {
    way: "veo",
    title: prompt,
    shape: size === "9x16" ? "tall" : "wide",
    submit: (client) =>
      client.submitVeo({ prompt, size, ...(frames.length > 0 && { inputReference: frames }) }),
  };
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
