import { find, fromTemplate } from "./dom.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
/** Gateways of this family take about 30 MB, and base64 adds a third. */
const MAX_BYTES = 20 * 1024 * 1024;

/**
 * A place for one picture file: choose it, or drop it. `onChange` hears of each new state, with a problem in words or null.
 * @param {HTMLElement} root
 * @param {{ label: string, describedBy: string, onChange: (problem: string | null) => void }} options
 */
export function createImageField(root, { label, describedBy, onChange }) {
  root.append(fromTemplate("drop-template"));
  const input = find(root, "input", HTMLInputElement);
  const caption = find(root, "label", HTMLLabelElement);
  const thumbnail = find(root, "img", HTMLImageElement);
  const remove = find(root, "button", HTMLButtonElement);
  /** @type {File | null} */
  let file = null;

  input.id = `file-${root.dataset.field}`;
  input.setAttribute("aria-describedby", describedBy);
  caption.htmlFor = input.id;
  caption.textContent = label;
  remove.setAttribute("aria-label", `Remove: ${label}`);

  /** @param {File | null} next @param {string | null} [problem] */
  const set = (next, problem = null) => {
    URL.revokeObjectURL(thumbnail.src);
    file = next;
    thumbnail.hidden = remove.hidden = !file;
    root.classList.toggle("filled", file !== null);
    if (file) thumbnail.src = URL.createObjectURL(file);
    else thumbnail.removeAttribute("src");
    input.value = "";
    onChange(problem);
  };
  /** @param {File | undefined} candidate */
  const offer = (candidate) => {
    if (!candidate) return;
    const problem = whatIsWrong(candidate);
    set(problem ? null : candidate, problem);
  };

  input.addEventListener("change", () => offer(input.files?.[0]));
  remove.addEventListener("click", () => {
    set(null);
    input.focus();
  });
  thumbnail.addEventListener("error", () => {
    if (file) set(null, "This file could not be read as a picture.");
  });
  acceptDrops(root, offer);
  return {
    get file() {
      return file;
    },
    offer,
    clear: () => set(null),
    focus: () => input.focus(),
  };
}

/** @param {File} file */
function whatIsWrong(file) {
  if (!TYPES.includes(file.type)) return "A PNG, JPEG or WebP picture is needed.";
  if (file.size > MAX_BYTES)
    return `This picture has ${Math.ceil(file.size / 1024 / 1024)} MB; 20 MB is the most.`;
  return null;
}

/** @param {HTMLElement} root @param {(file: File | undefined) => void} offer */
function acceptDrops(root, offer) {
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    root.classList.add("over");
  });
  root.addEventListener("dragleave", () => root.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("over");
    offer(event.dataTransfer?.files[0]);
  });
}
