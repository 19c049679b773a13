import * as api from "comet-tasks";
import { smoke } from "../../../smoke.js";

export const runtime = "edge";
export const dynamic = "force-dynamic";

export async function GET(request) {
  return Response.json(await smoke(api, new URL(request.url).searchParams.get("service")));
}
