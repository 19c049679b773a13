// The README's mounts of the gateway as files.
import { readFile } from "node:fs/promises";

/**
 * By name; with a service of the test's own, and a sign-in that believes a header.
 * @param {string} service
 * @returns {Promise<Record<string, string>>}
 */
export async function snippets(service) {
  const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
  const found = [...readme.matchAll(/<!-- mount: (.*?) -->\s+```js\n([\s\S]*?)```/g)];
  const files = Object.fromEntries(found.map(([, name = "", code = ""]) => [name, code]));
  const made = "createGateway({\n";
  const session = `export async function userOf(request) {
  const id = request.headers.get("x-user");
  return id ? { id } : null;
}
`;
  const gateway = files["gateway.js"]?.replace(made, `${made}  baseUrl: ${JSON.stringify(service)},\n`) ?? "";
  return { ...files, "gateway.js": gateway, "session.js": session };
}
