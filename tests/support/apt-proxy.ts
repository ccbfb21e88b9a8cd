/** A way for hosts without a network to the Debian mirror of this machine, and to nothing else. @module */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { CACHE } from "./machine.ts";

/** A running proxy. */
export interface AptProxy {
  /** `http://10.213.0.254:PORT`, for `Acquire::http::Proxy`. */
  readonly url: string;
  close(): void;
}

/** Listen on an address of the hosts' network. `mirrors` are the URLs that may be asked; packages are kept from run to run. */
export async function aptProxy(address: string, mirrors: readonly string[]): Promise<AptProxy> {
  const server = createServer(async (request, response) => {
    try {
      const url = request.url ?? "";
      if (request.method !== "GET" || !mirrors.some(mirror => url.startsWith(`${mirror}/`)))
        return void response.writeHead(403).end();
      if (/\.u?deb$/.test(url)) return void response.writeHead(200).end(await kept(url));
      const { "if-modified-since": since } = request.headers;
      const answer = await fetch(url, { headers: since ? { "If-Modified-Since": since } : {}, decompress: false });
      const passed = ["content-type", "last-modified"].flatMap(name =>
        answer.headers.has(name) ? [[name, answer.headers.get(name) ?? ""]] : [],
      );
      response.writeHead(answer.status, Object.fromEntries(passed)).end(new Uint8Array(await answer.arrayBuffer()));
    } catch (error) {
      response.writeHead(502, { "content-type": "text/plain" }).end(String(error));
    }
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
  const listening = server.address();
  const port = typeof listening === "object" && listening ? listening.port : 0;
  return { url: `http://${address}:${port}`, close: () => (server.closeAllConnections(), server.close()) };
}

/** A package never changes under its name, so it is fetched once. */
async function kept(url: string): Promise<Uint8Array> {
  const path = join(CACHE, "packages", createHash("sha256").update(url).digest("hex"));
  if (!existsSync(path)) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    mkdirSync(join(CACHE, "packages"), { recursive: true });
    const temporary = `${path}.${process.pid}`;
    await Bun.write(temporary, answer);
    renameSync(temporary, path);
  }
  return Bun.file(path).bytes();
}
