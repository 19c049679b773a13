import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch } from "./page.mjs";
import { make, openTab, startService, startStore, waitForTasks } from "./tabs.mjs";

/** @typedef {import("./tabs.mjs").Tab} Tab */

const AN_HOUR = 3600;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** @type {Awaited<ReturnType<typeof startService>>} */
let service;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());
beforeEach(async () => {
  service = await startService();
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await service.close();
});

test("ten_tabs_make_the_requests_of_one_and_all_see_the_results", async () => {
  const names = Array.from({ length: 10 }, (_, i) => `tab ${i}`);
  const tabs = await Promise.all(names.map((name) => openTab(context, service.url, name)));
  await Promise.all(tabs.map((tab, i) => make(tab, `picture ${i}`)));
  await Promise.all(tabs.map((tab) => waitForTasks(tab, 10, "queued")));
  service.pass(AN_HOUR);
  await Promise.all(tabs.map((tab) => waitForTasks(tab, 10)));
  assert.equal(service.readers().length, 1, `asked by ${service.readers()}`);
  const images = await Promise.all(
    tabs.map((tab) => tab.evaluate(() => /** @type {Tab} */ (globalThis).tasks.map((task) => task.images))),
  );
  for (const seen of images) assert.deepEqual(seen, images[0]);
  assert.ok(images[0].every((urls) => urls.length > 0));
});

test("when_the_tab_that_leads_closes_another_goes_on", async () => {
  const first = await openTab(context, service.url, "first");
  await make(first, "a boat");
  await waitForReader("first");
  const second = await openTab(context, service.url, "second");
  await waitForTasks(second, 1, "queued");
  await first.close();
  const from = service.count();
  await waitForReader("second", from);
  service.pass(AN_HOUR);
  await waitForTasks(second, 1);
});

test("goes_on_after_a_reload_and_never_asks_for_what_has_settled", async () => {
  const tab = await openTab(context, service.url, "before");
  await make(tab, "a boat");
  service.pass(AN_HOUR);
  await waitForTasks(tab, 1);
  await make(tab, "another boat");
  await tab.reload();
  await startStore(tab, "after", { follow: false });
  await tab.waitForFunction(() => /** @type {Tab} */ (globalThis).tasks?.length === 2);
  const from = service.count();
  await tab.evaluate(() => /** @type {Tab} */ (globalThis).store.resume());
  service.pass(AN_HOUR);
  await waitForTasks(tab, 2);
  // One open task goes by its own route; two would have gone together.
  assert.deepEqual(service.readers(from), ["after"]);
  assert.ok(service.isAskedAlone(from));
  await tab.reload();
  await startStore(tab, "later");
  await waitForTasks(tab, 2);
  await make(tab, "a third"); // a wait that works: whatever the store wanted to ask has been asked
  await waitForReader("later");
  assert.ok(service.isAskedAlone(from));
});

test("without_a_connection_it_waits_and_back_online_it_goes_on", async () => {
  const tab = await openTab(context, service.url, "only");
  await make(tab, "a boat");
  await waitForReader("only");
  await context.setOffline(true);
  service.pass(AN_HOUR);
  await tab.evaluate(() => fetch("/").then(Promise.reject, () => {})); // it is offline
  assert.equal(await tab.evaluate(() => /** @type {Tab} */ (globalThis).tasks[0].status), "queued");
  await context.setOffline(false);
  await waitForTasks(tab, 1);
});

test("a_damaged_or_newer_record_is_skipped_and_a_damaged_reading_costs_only_itself", async () => {
  const tab = await openTab(context, service.url, "writer");
  const id = await make(tab, "a boat");
  await tab.evaluate(async (id) => {
    const { store } = /** @type {Tab} */ (globalThis);
    store.close();
    const db = await new Promise((resolve) => {
      const request = indexedDB.open("comet-tasks:test");
      request.onsuccess = () => resolve(request.result);
    });
    const tasks = db.transaction("tasks", "readwrite").objectStore("tasks");
    const own = await new Promise((resolve) => {
      const request = tasks.get(id);
      request.onsuccess = () => resolve(request.result);
    });
    tasks.put({ ...own, task: { status: "nonsense" } });
    tasks.put({ id: "1", v: 1, handle: null });
    tasks.put({ id: "2", v: 2, handle: { ...own.handle, id: "2" }, task: own.task });
    await new Promise((resolve) => (tasks.transaction.oncomplete = resolve));
    db.close();
  }, id);
  await tab.reload();
  await startStore(tab, "reader");
  service.pass(AN_HOUR);
  await waitForTasks(tab, 1);
  assert.deepEqual(await tab.evaluate(() => /** @type {Tab} */ (globalThis).errors), []);
  // The later version's record is still there for the later version, even when its id is added here.
  const kept = await tab.evaluate(async () => {
    const { store, tasks } = /** @type {Tab} */ (globalThis);
    await store.add({ ...tasks[0].handle, id: "2" });
    const request = indexedDB.open("comet-tasks:test");
    const db = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const get = db.transaction("tasks").objectStore("tasks").get("2");
    return new Promise((resolve) => (get.onsuccess = () => resolve(get.result.v)));
  });
  assert.equal(kept, 2);
});

test("stores_with_different_names_are_apart", async () => {
  const here = await openTab(context, service.url, "here", { name: "a" });
  const there = await openTab(context, service.url, "there", { name: "b" });
  await make(here, "a boat");
  await make(there, "a kite");
  await waitForReader("here");
  await waitForReader("there");
  service.pass(AN_HOUR);
  await waitForTasks(here, 1);
  await waitForTasks(there, 1);
});

test("a_task_that_asks_is_left_alone_until_it_was_answered", async () => {
  const tab = await openTab(context, service.url, "only");
  const other = await openTab(context, service.url, "other");
  await make(tab, "a boat");
  service.pass(AN_HOUR);
  await waitForTasks(tab, 1);
  await press(tab, "MJ::JOB::upsample");
  service.pass(AN_HOUR);
  await waitForTasks(tab, 2);
  const id = await press(tab, "MJ::CustomZoom");
  service.pass(5);
  await waitForStatus(tab, id, "action_required");
  const from = service.count();
  await tab.reload();
  await startStore(tab, "only");
  const boat = await make(tab, "a second boat");
  service.pass(600);
  await waitForStatus(tab, boat, "succeeded");
  assert.ok(service.isAskedAlone(from), "nothing else was asked for with it");
  assert.ok(!service.isAsked(id, from), "nor apart");
  // The answer comes from another tab. For a while the service still shows the question.
  await other.evaluate(async (taskId) => {
    const { client, store } = /** @type {Tab} */ (globalThis);
    await store.add(await client.submitModal({ taskId, prompt: "a boat --zoom 2" }));
  }, id);
  await waitForStatus(tab, id, "queued");
  for (const asked = service.count(); service.count() < asked + 3;) await soon();
  await waitForStatus(tab, id, "queued");
  service.pass(AN_HOUR);
  await waitForStatus(tab, id, "succeeded");
  await waitForStatus(other, id, "succeeded");
});

test("what_one_tab_removes_is_gone_in_all_and_is_not_asked_for", async () => {
  const tab = await openTab(context, service.url, "only");
  const other = await openTab(context, service.url, "other");
  const id = await make(tab, "a boat");
  await waitForReader("only");
  await other.waitForFunction(() => /** @type {Tab} */ (globalThis).tasks?.length === 1);
  await other.evaluate((id) => /** @type {Tab} */ (globalThis).store.remove(id), id);
  await tab.waitForFunction(() => /** @type {Tab} */ (globalThis).tasks?.length === 0);
  const from = service.count();
  await make(tab, "another boat");
  await waitForReader("only", from);
  assert.ok(service.isAskedAlone(from));
  await other.reload();
  await startStore(other, "other");
  await waitForTasks(other, 1, "queued");
});

test("what_ends_a_wait_is_told_in_every_tab_and_resume_begins_anew", async () => {
  const tab = await openTab(context, service.url, "only");
  const other = await openTab(context, service.url, "other");
  await context.route("**/mj/task/**", (route) => route.fulfill({ status: 401, body: "{}" }));
  const id = await make(tab, "a boat");
  for (const page of [tab, other]) {
    await page.waitForFunction(() => /** @type {Tab} */ (globalThis).errors[0] === "unauthorized");
  }
  await context.unroute("**/mj/task/**");
  service.pass(AN_HOUR);
  await other.evaluate(() => /** @type {Tab} */ (globalThis).store.resume());
  await waitForStatus(other, id, "succeeded");
});

test("the_tab_that_one_looks_at_takes_the_lead", async () => {
  const hidden = await openTab(context, service.url, "hidden");
  await make(hidden, "a boat");
  await waitForReader("hidden");
  const seen = await openTab(context, service.url, "seen");
  await waitForTasks(seen, 1, "queued");
  await seen.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await waitForReader("seen");
  await seen.close();
  const from = service.count();
  await waitForReader("hidden", from); // it is in line again
});

test("a_reply_for_many_tasks_is_written_in_few_transactions_and_all_of_it_before_the_store_closes", async () => {
  const tab = await openTab(context, service.url, "only", { follow: false });
  const count = 30;
  for (let i = 0; i < count; i++) await make(tab, `boat ${i}`);
  service.pass(AN_HOUR);
  const writes = await tab.evaluate((count) => {
    const { store } = /** @type {Tab} */ (globalThis);
    const { transaction, close } = IDBDatabase.prototype;
    let writes = 0;
    IDBDatabase.prototype.transaction = function (
      /** @type {string[]} */ names,
      /** @type {IDBTransactionMode} */ mode,
      /** @type {IDBTransactionOptions} */ options,
    ) {
      if (mode === "readwrite") writes++;
      return transaction.call(this, names, mode, options);
    };
    store.subscribe((tasks) => {
      if (tasks.length === count && tasks.every(({ status }) => status === "succeeded")) store.close();
    });
    store.resume();
    return new Promise((resolve) => {
      IDBDatabase.prototype.close = function () {
        close.call(this);
        resolve(writes);
      };
    });
  }, count);
  assert.ok(writes <= count / 2, `${writes} transactions for ${count} readings`);
  await tab.reload();
  await startStore(tab, "later", { follow: false });
  await waitForTasks(tab, count);
});

for (const missing of ["indexedDB", "BroadcastChannel", "locks"]) {
  test(`works_without_${missing}`, async () => {
    await context.addInitScript((missing) => {
      const owner = missing === "locks" ? Navigator.prototype : globalThis;
      Object.defineProperty(owner, missing, { value: undefined });
    }, missing);
    const tab = await openTab(context, service.url, "first");
    const other = await openTab(context, service.url, "second");
    await make(tab, "a boat");
    await make(other, "a kite");
    service.pass(AN_HOUR);
    const sharesTasks = missing !== "BroadcastChannel"; // without it, a tab sees the others' tasks after a reload
    await waitForTasks(tab, sharesTasks ? 2 : 1);
    await waitForTasks(other, sharesTasks ? 2 : 1);
    const errors = await tab.evaluate(() => /** @type {Tab} */ (globalThis).errors);
    assert.deepEqual(errors, missing === "indexedDB" ? ["unsupported"] : []);
  });
}

test("when_the_database_goes_away_it_says_so_once_and_goes_on_in_memory", async () => {
  const tab = await openTab(context, service.url, "only");
  await make(tab, "a boat");
  await tab.evaluate(
    () =>
      new Promise(
        (resolve) => (indexedDB.deleteDatabase("comet-tasks:test").onsuccess = () => resolve(null)),
      ),
  );
  await make(tab, "a kite");
  await make(tab, "a fox");
  service.pass(AN_HOUR);
  await waitForTasks(tab, 3);
  assert.deepEqual(await tab.evaluate(() => /** @type {Tab} */ (globalThis).errors), ["unsupported"]);
});

test("a_closed_store_asks_no_more_and_says_so", async () => {
  const tab = await openTab(context, service.url, "only");
  const id = await make(tab, "a boat");
  await waitForReader("only");
  const code = await tab.evaluate(async () => {
    const { store, tasks } = /** @type {Tab} */ (globalThis);
    store.close();
    store.close();
    store.resume();
    return store.add(tasks[0].handle).catch((error) => error.code);
  });
  assert.equal(code, "closed");
  const other = await openTab(context, service.url, "other");
  await waitForReader("other"); // the lead was given back
  service.pass(AN_HOUR);
  await waitForStatus(other, id, "succeeded");
});

/** @param {string} name @param {number} [from] */
async function waitForReader(name, from) {
  while (!service.readers(from).includes(name)) await soon();
}

function soon() {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** @param {import("playwright-core").Page} page @param {string} id @param {string} status */
async function waitForStatus(page, id, status) {
  await page.waitForFunction(
    ([id, status]) =>
      /** @type {Tab} */ (globalThis).tasks?.find(({ handle }) => handle.id === id)?.status === status,
    [id, status],
  );
}

/** Presses a button of the newest task, by the beginning of its id. @param {import("playwright-core").Page} page @param {string} start */
function press(page, start) {
  return page.evaluate(async (start) => {
    const { client, store, tasks } = /** @type {Tab} */ (globalThis);
    const [{ handle, buttons }] = tasks;
    const customId = buttons.find((button) => button.customId.startsWith(start))?.customId ?? "";
    const next = await client.submitAction({ taskId: handle.id, customId });
    await store.add(next);
    return next.id;
  }, start);
}
