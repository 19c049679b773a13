// Loaded first, as it is: what keeps a page from reporting is reported.
{
  const origin = new URL(location.href).searchParams.get("origin") ?? location.origin;
  const tellFailure = (/** @type {unknown} */ failure) =>
    fetch(`${origin}/report`, { method: "POST", body: JSON.stringify([String(failure)]) });
  const words = (/** @type {any} */ event) => event.message ?? `${event.target?.src} did not load`;
  addEventListener("error", (event) => tellFailure(words(event)), true);
  addEventListener("unhandledrejection", (event) => tellFailure(event.reason));
}
