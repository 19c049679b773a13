"use client";
import { useEffect } from "react";
import * as api from "comet-tasks";

export default function Page() {
  useEffect(() => {
    import("../report.js").then(({ report }) => report(api));
  }, []);
  return <p>client</p>;
}
