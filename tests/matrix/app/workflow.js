// A Worker with all that is for Workers: a workflow that keeps a picture in its bucket, and a gateway. Answers what failed.
import { createClient } from "comet-tasks";
import { CometWorkflow } from "comet-tasks/cloudflare";
import { createGateway } from "comet-tasks/gateway";

export { CometWorkflow };

export default {
  /** @param {Request} request @param {any} env */
  async fetch(request, env) {
    const { origin, searchParams } = new URL(request.url);
    const service = searchParams.get("service");
    const failures = [await kept(env), await passed(`${origin}/api/comet`, service)];
    return Response.json(failures.filter(Boolean));
  },
};

/** @param {any} env */
async function kept(env) {
  const submit = { kind: "imagine", params: { prompt: "a boat" } };
  const flow = await env.FLOW.create({ params: { submit, bucket: "BUCKET", prefix: "kept/" } });
  for (;;) {
    const { status, output, error } = await flow.status();
    if (status === "complete") {
      const object = await env.BUCKET.head(output.assets[0]?.key ?? "");
      return object?.size > 1000 ? undefined : `workflow: kept ${JSON.stringify(output)}`;
    }
    if (status === "errored" || status === "terminated")
      return `workflow: ${status} ${JSON.stringify(error)}`;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** @param {string} baseUrl @param {string | null} service */
async function passed(baseUrl, service) {
  const gateway = createGateway({
    apiKey: "sk-matrix-0123456789",
    baseUrl: service ?? "",
    secret: "a secret for the matrix, of more than 32 bytes",
    authorize: () => ({ subject: "alice" }),
  });
  /** @type {import("comet-tasks").FetchLike} */
  const fetch = (url, init) => gateway.fetch(new Request(url, init));
  const client = createClient({ baseUrl, fetch });
  const task = await client.run({ kind: "imagine", params: { prompt: "a boat" } }, { intervalMs: 50 });
  client.close();
  return task.status === "succeeded" ? undefined : `gateway: ${task.status}`;
}
