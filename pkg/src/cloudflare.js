export { receiveHook } from "./cloudflare/hook.js";
export { CometWorkflow } from "./cloudflare/workflow.js";
