// The same by `require`.
const api = require("comet-tasks");
const { report } = require("./report.js");

report(api);
