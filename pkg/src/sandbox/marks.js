// Prompts that ask for trouble: "sandbox:<mark>" anywhere in a prompt. The list that users read is in
// ../sandbox.d.ts.

import { Refused, declined, flatError, json, nestedError, videoError } from "./replies.js";

/** @typedef {import("./types.js").Call} Call */

/** @param {string} prompt @returns {ReadonlySet<string>} */
export function readMarks(prompt) {
  return new Set(Array.from(prompt.matchAll(/sandbox:([a-z0-9-]+)/g), ([, mark]) => mark));
}

/** @type {Record<string, (call: Call) => Response>} */
const MIDJOURNEY = {
  banned: () => declined(24, "可能包含敏感词", { promptEn: "sandbox:banned", bannedWord: "banned" }),
  "queue-full": () => declined(23, "队列已满，请稍后尝试"),
  "queue-full-9": () => declined(9, "提交失败，队列已满"),
  rejected: () => declined(9, "系统异常"),
  quota: () => flatError("quota_not_enough"),
  saturated: () => {
    const description = "x 当前分组负载已饱和，请稍后再试，或升级账户以提升服务质量。";
    return json({ description, type: "upstream_error", code: 30 }, 429);
  },
  "no-channel": noChannel,
};

/** @type {Record<string, (call: Call) => Response>} */
const VIDEOS = {
  banned: () => {
    const upstream = {
      error: { message: "Your request was blocked by our moderation policy.", code: "moderation_blocked" },
    };
    return videoError(400, "fail_to_fetch_task", JSON.stringify(upstream));
  },
  "queue-full": () => videoError(429, "rate_limit_exceeded", "rate_limit_exceeded"),
  rejected: () => videoError(400, "invalid_request", "the prompt asked to be refused"),
  quota: () => videoError(403, null, "user quota is not enough"),
  saturated: () => videoError(429, "upstream_saturated", "当前分组上游负载已饱和，请稍后再试"),
  "no-channel": noChannel,
};

/** @param {Call} call */
function noChannel(call) {
  const message = "no available channel for group default and the model asked for (distributor)";
  return nestedError(call, 503, message, "model_not_found");
}

/**
 * Refuses before a task exists, if a mark says so.
 * @param {Call} call @param {ReadonlySet<string>} marks @param {"midjourney" | "videos"} family
 */
export function refuseMarked(call, marks, family) {
  const replies = family === "videos" ? VIDEOS : MIDJOURNEY;
  for (const mark of marks) {
    if (Object.hasOwn(replies, mark)) throw new Refused(replies[mark](call));
  }
}

/**
 * "lost": the task exists, and the reply does not say so.
 * @param {Call} call @param {ReadonlySet<string>} marks @param {"midjourney" | "videos"} family
 */
export function loseMarked(call, marks, family) {
  if (!marks.has("lost")) return;
  if (family === "midjourney") throw new Refused(flatError("do_request_failed", 5));
  throw new Refused(nestedError(call, 502, "do request failed", "do_request_failed"));
}
