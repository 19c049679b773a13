// A Worker, and the edge function of a host that has `fetch` events: answers what failed, as JSON.
import * as api from "comet-tasks";
import { smoke } from "./smoke.js";

export default {
  /** @param {Request} request */
  async fetch(request) {
    const service = /** @type {string} */ (new URL(request.url).searchParams.get("service"));
    return Response.json(await smoke(api, service));
  },
};
