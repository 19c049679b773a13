// A Worker whose one client lives at module scope, where it is made before there is any request.
import { createClient, parseWebhook } from "comet-tasks";

const client = createClient({ baseUrl: "https://service.example", apiKey: "sk-0123456789" });

export default {
  /** @param {Request} request */
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const prompt = searchParams.get("prompt") ?? "";
    try {
      return Response.json(await answer(pathname, prompt, request));
    } catch (error) {
      return Response.json({ thrown: error instanceof Error ? error.name : error }, { status: 500 });
    }
  },
};

/** @param {string} pathname @param {string} prompt @param {Request} request */
async function answer(pathname, prompt, request) {
  const call = /** @type {const} */ ({ kind: "imagine", params: { prompt } });
  if (pathname === "/run") return client.run(call, { intervalMs: 5 });
  if (pathname === "/submit") return client.submitImagine({ prompt });
  if (pathname === "/poll") return client.poll(prompt, { intervalMs: 5 });
  if (pathname === "/webhook") return parseWebhook(await request.text());
  const controller = new AbortController();
  // Ends its own call at the first reading, in the middle of the wait.
  const onUpdate = () => controller.abort("enough");
  return client.run(call, { intervalMs: 5, signal: controller.signal, onUpdate });
}
