/** A TCP proxy on loopback that holds everything for half a round trip each way: `bun delay-proxy.ts PORT TARGET_PORT RTT_MS`. */
import { connect, createServer, type Socket } from "node:net";

const [port = 0, target = 0, roundTrip = 0] = process.argv.slice(2).map(Number);

/** Pass bytes on after the delay, in order; the first ones may take longer. */
function pass(from: Socket, to: Socket, delay: number, first: number): void {
  let due = 0;
  let extra = first;
  const later = (action: () => void): void => {
    due = Math.max(due, performance.now() + delay + extra);
    extra = 0;
    setTimeout(action, due - performance.now());
  };
  from.on("data", chunk => later(() => to.write(chunk)));
  from.on("end", () => later(() => to.end()));
  from.on("error", () => to.destroy());
}

createServer({ noDelay: true }, client => {
  const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
  pass(client, server, roundTrip / 2, 0);
  // The kernel answers the client's connect at once: what the handshake would have cost is added to the first reply.
  pass(server, client, roundTrip / 2, roundTrip);
}).listen(port, "127.0.0.1", () => console.log("ready"));
