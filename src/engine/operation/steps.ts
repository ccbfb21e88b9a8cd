/** What an operation yields. @module */
import { declaredAt } from "../../core/declared.ts";
import { OperationTypeError } from "../../core/errors.ts";
import { kindOf } from "../../core/kind.ts";
import { inSteps } from "../../core/scope.ts";
import type { Command } from "../../core/steps.ts";
import type { OperationCall } from "../host-state.ts";
import type { OperationView } from "./operation-host.ts";

/**
 * Evaluate an operation, and hand on each of its commands until `take` answers true; resolves to whether it did.
 * Nothing is declared by what `steps` do. Rejects with `OperationTypeError` for anything but commands.
 */
export const eachCommand = (
  call: OperationCall,
  view: OperationView,
  args: object,
  take: (command: Command) => true | Promise<void>,
): Promise<boolean> =>
  inSteps(call.operation.name, async () => {
    const { name } = call.operation;
    const steps: unknown = call.operation.steps(view, args);
    if (!isGenerator(steps))
      throw wrongShape(call, `The steps of ${name} must give a generator, found ${kindOf(steps)}`, STAR);
    for await (const command of steps) {
      if (!isCommand(command))
        throw wrongShape(call, `${name} must yield commands, found ${kindOf(command)}`, hintFor(command));
      // Preparing comes no further than here, and what it does not find runs.
      view.expectAwaited(true);
      const taken = take(command);
      if (taken === true) return true;
      await taken;
    }
    view.expectAwaited(false);
    return false;
  });
const STAR = "Write async *steps(host, args) { … }, or return what the steps of another operation give";

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, void, void> =>
  typeof value === "object" && value !== null && "next" in value && typeof value.next === "function";

const isCommand = (value: unknown): value is Command =>
  typeof value === "object" &&
  value !== null &&
  "kind" in value &&
  typeof value.kind === "string" &&
  KINDS.has(value.kind);
const KINDS: ReadonlySet<string> = new Set<Command["kind"]>([
  "shell",
  "upload",
  "download",
  "rsync",
  "function",
  "configured",
]);

function hintFor(value: unknown): string {
  switch (kindOf(value)) {
    case "a generator":
      return "Write a star behind yield for what the steps of another operation give: yield* it.steps(host, { … })";
    case "a list":
      return "Yield its commands one by one";
    case "text":
      return "Make a command of it: yield sh`…`";
    default:
      return "A command is made with sh`…`, upload(), download() and their like";
  }
}

/** At the declaration: that is where it must be mended. */
function wrongShape({ operation, at: calledAt }: OperationCall, message: string, hint: string): OperationTypeError {
  const declared = declaredAt(operation);
  return new OperationTypeError(message, {
    hint,
    at: declared ?? calledAt,
    callers: declared && calledAt ? [calledAt] : [],
  });
}
