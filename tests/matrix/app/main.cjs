// The same by `require`.
const api = require("comet-tasks");

import("./smoke.js").then(async ({ smoke }) => {
  console.log(JSON.stringify(await smoke(api, process.argv[2])));
});
