// Other people's tasks, and signatures that nobody made.
import assert from "node:assert/strict";
import { BASE, body, by, get, path, post, read } from "./asks.mjs";

/** @param {string} id */
const idOf = (id) => id.split(".")[0] ?? "";
/** @param {string} id */
const tagOf = (id) => id.split(".")[1] ?? "";
/** @param {string} id */
const otherSpelling = (id) => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return id.slice(0, -1) + letters[letters.indexOf(id.at(-1) ?? "") + 1];
};

/** @type {import("./asks.mjs").Attack[]} */
export const ids = [
  { name: "reads another's picture", guard: "signature", control: read, attack: by("bob"), status: 404 },
  {
    name: "asks for the seed of another's picture",
    guard: "signature",
    control: ({ alice }) => get(`/mj/task/${alice.grid}/image-seed`),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "fetches another's image",
    guard: "signature",
    control: ({ alice }) => get(`/mj/image/${alice.grid}`),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "reads another's video",
    guard: "signature",
    control: ({ alice }) => get(`/v1/videos/${alice.veo}`),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "fetches another's content",
    guard: "signature",
    control: ({ alice }) => get(`/v1/videos/${alice.veo}/content`),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "remixes another's video",
    guard: "signature",
    control: ({ alice }) => post(`/v1/videos/${alice.veo}/remix`, { prompt: "snow" }),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "presses a button of another's picture",
    guard: "signature",
    control: ({ alice }) => post("/mj/submit/action", { taskId: alice.grid, customId: alice.customId }),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "answers another's question",
    guard: "signature",
    control: ({ alice }) => post("/mj/submit/modal", { taskId: alice.question, prompt: "x" }),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "continues another's video",
    guard: "signature",
    control: ({ alice }) =>
      post("/mj/submit/video", { motion: "low", action: "extend", index: 0, taskId: alice.video }),
    attack: by("bob"),
    status: 404,
  },
  {
    name: "continues another's video in the other spelling",
    guard: "signature",
    control: ({ alice }) =>
      post("/mj/submit/video", {
        ...{ motion: "low", prompt: "x", action: "extend" },
        ...{ index: "0", task_id: alice.video },
      }),
    attack: by("bob"),
    status: [400, 404],
    // The sandbox stands for the gateway that knows no task_id: that it arrived is what counts.
  },
  {
    name: "lists another's tasks",
    guard: "signature",
    control: ({ alice }) => post("/mj/task/list-by-condition", { ids: [alice.grid] }),
    attack: by("bob"),
    status: 200,
  },
  {
    name: "lists another's task among its own",
    guard: "signature",
    control: ({ alice }) => post("/mj/task/list-by-condition", { ids: [alice.grid] }),
    attack: (ask, { alice, bob }) => ({ ...ask, body: JSON.stringify({ ids: [alice.grid, bob.grid] }) }),
    holds: (told, arrived, { bob }) => {
      assert.equal(JSON.parse(told.text).length, 1);
      assert.ok(!arrived.at(-1)?.body.includes(idOf(bob.grid)));
    },
  },
  {
    name: "names a task without a signature",
    guard: "signed form",
    control: read,
    attack: path((_, { alice }) => `${BASE}/mj/task/${idOf(alice.grid)}/fetch`),
    status: 404,
  },
  {
    name: "names a parent without a signature",
    guard: "signed form",
    control: ({ alice }) => post("/mj/submit/action", { taskId: alice.grid, customId: alice.customId }),
    attack: body((text, { alice }) => text.replace(alice.grid, idOf(alice.grid))),
    status: 404,
  },
  {
    name: "changes a letter of a signature",
    guard: "signature",
    control: read,
    attack: path((text, { alice }) => {
      const [letter] = tagOf(alice.grid);
      return text.replace(`.${letter}`, letter === "A" ? ".B" : ".A");
    }),
    status: 404,
  },
  {
    name: "cuts a signature",
    guard: "signed form",
    control: read,
    attack: path((text, { alice }) => text.replace(alice.grid, alice.grid.slice(0, -1))),
    status: 404,
  },
  {
    name: "makes a signature longer",
    guard: "signed form",
    control: read,
    attack: path((text, { alice }) => text.replace(alice.grid, `${alice.grid}A`)),
    status: 404,
  },
  {
    name: "spells the same signature's last letter in another way",
    guard: "one spelling",
    control: read,
    attack: path((text, { alice }) => text.replace(alice.grid, otherSpelling(alice.grid))),
    status: 404,
  },
  {
    name: "takes a signature from one family to the other",
    guard: "family is signed",
    control: read,
    attack: path((_, { alice }) => `${BASE}/v1/videos/${alice.grid}`),
    status: 404,
  },
  {
    name: "takes a signature from one of its own tasks to another id",
    guard: "id is signed",
    control: read,
    attack: path((_, { alice, bob }) => `${BASE}/mj/task/${idOf(bob.grid)}.${tagOf(alice.grid)}/fetch`),
    status: 404,
  },
  {
    name: "signs with another subject's name joined to the id",
    guard: "signature",
    control: read,
    attack: by("alice1"),
    status: 404,
  },
];
