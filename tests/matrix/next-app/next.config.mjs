import { fileURLToPath } from "node:url";

// The tools are two folders up, where the matrix has them installed.
const root = fileURLToPath(new URL("../../", import.meta.url));

export default { turbopack: { root }, outputFileTracingRoot: root };
