// A page whose policy forbids wasm: the error must say what to change.
import { createClient } from "comet-tasks";
import { tell } from "./report.js";

createClient({ baseUrl: "/service" })
  .submitImagine({ prompt: "a lighthouse" })
  .then(
    () => tell(["wasm ran under a policy that forbids it"]),
    (error) => {
      const isClear = error.name === "CometError" && error.code === "unsupported";
      const namesIt = error.message.includes("'wasm-unsafe-eval'");
      return tell(isClear && namesIt ? [] : [`${error.name} ${error.code}: ${error.message}`]);
    },
  );
