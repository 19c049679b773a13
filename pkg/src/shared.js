// What every entry knows of errors and tasks: one file of the package, so that it is one class and no second copy.
export { CometError, invalid, isCometError, notLoaded } from "./errors.js";
export { findButton, isTerminal, supersedes, withRaw } from "./task.js";
