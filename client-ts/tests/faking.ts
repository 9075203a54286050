/** A fetch that answers as it is told, and notes what it was asked. */
export interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

export type Said = { status: number; body?: unknown; headers?: Record<string, string> } | Error;

export function faking(...said: Said[]): { fetch: typeof fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  const answer = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    asked.push({ method: init.method ?? "GET", url: String(input), headers: new Headers(init.headers), body });
    const next = said[Math.min(asked.length, said.length) - 1];
    if (next === undefined || next instanceof Error) throw next ?? new Error("nothing to say");
    const headers = { "content-type": "application/json", ...next.headers };
    const text = next.body === undefined ? null : typeof next.body === "string" ? next.body : JSON.stringify(next.body);
    return new Response(text, { status: next.status, headers });
  };
  return { fetch: answer, asked };
}

export const LOST = new TypeError("fetch failed");
export const QUICK = { totalSeconds: 5, firstWaitSeconds: 0.001, longestWaitSeconds: 0.002 };

export function problem(status: number, more: object = {}, headers: Record<string, string> = {}): Said {
  const body = { type: "about:blank", title: "x", status, detail: "Told.", userErrorMessage: "Sorry.", ...more };
  return { status, body, headers: { "content-type": "application/problem+json", ...headers } };
}
