/** An upload, and how it ended. @module */
import type { Transfers } from "../../src/engine/host/transfers.ts";

/** Copy a file to the host. Rejects when the host refuses it. */
export async function upload(transfers: Transfers, ...args: Parameters<Transfers["upload"]>): Promise<void> {
  const [result] = await (await transfers.upload(...args)).results;
  transfers.uploaded(args[1], undefined, result!);
}
