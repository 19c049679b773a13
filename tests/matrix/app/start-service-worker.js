navigator.serviceWorker.register(`service-worker.js${location.search}`);
navigator.serviceWorker.ready.then(({ active }) => active?.postMessage("go"));
