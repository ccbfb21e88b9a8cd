/** Output streams that say when they have room again. @module */
import type { Sink } from "./screen.ts";

export interface RoomySink extends Sink {
  /** Resolves when what was written has been taken; nothing where there is room. */
  room(): Promise<void> | undefined;
}

/** A stream of this process. Bun says with each write whether it was too much, and nowhere else. */
export function withRoom(stream: NodeJS.WriteStream): RoomySink {
  let full: Promise<void> | undefined;
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write(text) {
      if (stream.write(text) || full) return;
      full = new Promise(resolve => {
        const done = (): void => {
          for (const event of ["drain", "error", "close"]) stream.off(event, done);
          full = undefined;
          resolve();
        };
        for (const event of ["drain", "error", "close"]) stream.on(event, done);
      });
    },
    room: () => full,
  };
}
