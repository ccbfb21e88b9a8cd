/** How cases write what an operation yields. @module */
import type { Shell } from "../../src/core/command.ts";
import type { Command } from "../../src/core/steps.ts";
import { anything, listOf, someObject, text, textOr, yes } from "./shape.ts";
import { encode, type Json, type JsonObject } from "./values.ts";

const ATTRIBUTES = { to: text, mode: text, user: text, group: text, with: someObject };

/** A command as a case may write it. */
export const commandShape = textOr({
  command: { command: text, shown: text, with: someObject },
  upload: { upload: anything, ...ATTRIBUTES },
  uploadFile: { uploadFile: text, ...ATTRIBUTES },
  download: { download: text, to: text, createDirectory: yes, with: someObject },
  rsync: { rsync: text, to: text, flags: listOf(text), with: someObject },
  call: { call: text, args: listOf(anything), does: listOf(text) },
});

/** A command as cases write it, one spelling each. */
export function encodeCommand(command: Command, does: readonly string[] = []): Json {
  switch (command.kind) {
    case "shell":
      return encodeShell(command);
    case "upload": {
      const { source, dest, mode, user, group } = command;
      const what = "path" in source ? { uploadFile: source.path } : { upload: encode(source.content) };
      return withoutNothing({ ...what, to: dest, mode, user, group });
    }
    case "download":
      return withoutNothing({
        download: command.src,
        to: command.dest,
        createDirectory: command.createDirectory || undefined,
      });
    case "rsync":
      return { rsync: command.src, to: command.dest, flags: [...command.flags] };
    case "function": {
      const args = (command.args ?? []).map(encode);
      return withoutNothing({
        call: command.name,
        args: args.length > 0 ? args : undefined,
        does: does.length > 0 ? does : undefined,
      });
    }
    case "configured": {
      const inner = encodeCommand(command.command);
      return {
        ...(typeof inner === "string" ? { command: inner } : (inner as JsonObject)),
        with: encode(command.arguments),
      };
    }
  }
}

/** The text that is sent, and beside it what people see if that differs. */
export function encodeShell(shell: Shell): Json {
  const [command, shown] = [shell.wire(), shell.toString()];
  return command === shown ? command : { command, shown };
}

const withoutNothing = (fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
