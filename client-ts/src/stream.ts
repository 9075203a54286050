/** Server-sent events read by fetch, which can send a token where EventSource cannot. */
import type { NotificationItem } from "./types.ts";

/** What each person has for themselves: left out where one change is told to several. */
type Own = "isReadStatus" | "isSeenStatus" | "isArchived";

/** What changes for the asking person, as it happens. `reset`: load the list anew. */
export type StreamEvent =
  | { event: "new"; id: string | undefined; data: NotificationItem }
  | { event: "changed"; id: string | undefined; data: Omit<NotificationItem, Own> & Partial<Pick<NotificationItem, Own>> }
  | { event: "removed"; id: string | undefined; data: { id: string } }
  | { event: "count"; id: string | undefined; data: { unread: number; isExact: boolean } }
  | { event: "reset"; id: string | undefined; data: unknown };

export interface Raw {
  event: string;
  data: string;
  id: string | undefined;
  retry: number | undefined;
}

/** The events of a body, as they come. */
export async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<Raw> {
  let text = "";
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      // An event ends with an empty line. What stands behind the last one is not whole yet.
      const parts = text.split(/\r\n\r\n|\n\n|\r\r/);
      text = parts.pop() ?? "";
      for (const part of parts) {
        const event = eventOf(part);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** None where there are only comments, by which a server keeps a connection open. */
function eventOf(part: string): Raw | undefined {
  const found: Raw = { event: "message", data: "", id: undefined, retry: undefined };
  const data: string[] = [];
  let isEvent = false;
  for (const line of part.split(/\r\n|\n|\r/)) {
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (!name) continue;
    isEvent = true;
    if (name === "data") data.push(value);
    else if (name === "event") found.event = value;
    else if (name === "id") found.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) found.retry = Number(value);
  }
  found.data = data.join("\n");
  return isEvent ? found : undefined;
}
