/** A port that stands between a client and a server. @module */
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";

/** Stands between client and server, and does to each connection what it is told. */
export async function proxy(
  to: { readonly address: string; readonly port: number },
  treat: (client: Socket, server: () => Socket, number: number) => void,
) {
  let count = 0;
  const open = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    return socket;
  };
  const listener: Server = createServer(client =>
    treat(track(client), () => track(connectTcp(to.port, to.address)), ++count),
  );
  await new Promise<void>(resolve => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as { port: number }).port,
    count: () => count,
    /** Connections of both sides. */
    open: () => open.size,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise(resolve => listener.close(resolve));
    },
  };
}
/** Pass everything on, both ways, until one side ends. */
export const joined = (client: Socket, server: Socket): void => {
  client.pipe(server).pipe(client);
  client.on("close", () => server.destroy());
  server.on("close", () => client.destroy());
};
