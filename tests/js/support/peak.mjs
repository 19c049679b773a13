// The most memory that a process had, in bytes.
import { readFileSync, writeFileSync } from "node:fs";
import { platform } from "node:process";

/** Lets the kernel forget the peak so far, where it can. @param {number | "self"} [pid] */
export function resetPeak(pid = "self") {
  if (platform === "linux") writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Since the last reset; or, where the kernel cannot forget, ever. Of other processes only Linux tells. @param {number | "self"} [pid] */
export function peakOf(pid = "self") {
  const kb = platform === "linux" ? field(pid, "VmHWM") : process.resourceUsage().maxRSS;
  return kb * 1024;
}

/** What it has now. @param {number} pid */
export function residentOf(pid) {
  return field(pid, "VmRSS") * 1024;
}

/** @param {number | "self"} pid @param {string} name */
function field(pid, name) {
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
