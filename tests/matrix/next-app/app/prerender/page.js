import { parseWebhook } from "comet-tasks";

export const dynamic = "force-static";

export default async function Page() {
  const task = await parseWebhook('{"id":"1712345678901234567","status":"SUCCESS"}');
  return <p>{`read ${task.handle.id} ${task.status}`}</p>;
}
