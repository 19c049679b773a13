/** The form of a task that asks: the service waits until it is answered. */
import { isCometError } from "comet-tasks/slim";
import { find, fromTemplate } from "./dom.js";
import { createImageField } from "./image-field.js";
import { ask } from "./ask.js";
import { withoutMarks } from "./orders.js";
import { AMBIGUOUS, explain } from "./words.js";

let count = 0;

/**
 * @param {HTMLElement} place
 * @param {import("./board.js").Board} board
 * @param {import("./notes.js").Note} note
 * @param {import("comet-tasks").Task} task
 */
export function showQuestion(place, board, note, task) {
  place.replaceChildren(fromTemplate("question-template"));
  const form = find(place, "form", HTMLFormElement);
  const prompt = find(form, "textarea", HTMLTextAreaElement);
  const problem = find(form, ".problem", HTMLElement);
  const go = find(form, "button.primary", HTMLButtonElement);
  const id = `question-${++count}`;
  prompt.id = id;
  problem.id = `${id}-problem`;
  prompt.setAttribute("aria-describedby", problem.id);
  find(form, "label", HTMLLabelElement).htmlFor = id;
  prompt.value = withoutMarks(task.prompt ?? "");
  const mask = wantsMask(note) ? maskField(form, problem) : null;

  let isDoubtful = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isDoubtful && !(await ask("Answer it again?", AMBIGUOUS, "Answer again"))) return;
    go.disabled = true;
    problem.hidden = true;
    try {
      await board.answer(note, { prompt: prompt.value.trim(), ...(mask?.file && { mask: mask.file }) });
    } catch (error) {
      isDoubtful = isCometError(error) && error.ambiguous;
      const { status, next } = explain(error);
      problem.textContent = `${status}. ${next}`;
      problem.hidden = false;
      go.disabled = false;
    }
  });
}

/** Only repainting a part needs to know which part. @param {import("./notes.js").Note} note */
function wantsMask({ call }) {
  return call?.kind === "action" && call.params.customId.startsWith("MJ::Inpaint");
}

/** @param {HTMLFormElement} form @param {HTMLElement} problem */
function maskField(form, problem) {
  const root = find(form, ".drop", HTMLElement);
  root.hidden = false;
  root.dataset.field = `mask-${count}`;
  return createImageField(root, {
    label: "Mask: white where it is repainted, black where it stays",
    describedBy: problem.id,
    onChange(words) {
      problem.textContent = words;
      problem.hidden = !words;
    },
  });
}
