/** What `nc HOST PORT` does: stdin and stdout are a TCP connection's. @module */
import { connect } from "node:net";

const [host = "", port = ""] = process.argv.slice(2);
const socket = connect(Number(port), host);
process.stdin.pipe(socket).pipe(process.stdout);
socket.on("close", () => process.exit(0));
