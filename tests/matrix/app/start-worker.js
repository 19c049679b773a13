new Worker(`page.js${location.search}`);
